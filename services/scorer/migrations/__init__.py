"""Migrations of the schema `scorer`: forward only; a revision that has run is history."""

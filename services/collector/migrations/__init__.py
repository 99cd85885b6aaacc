"""Migrations of the schema `collector`: forward only; a revision that has run is history."""

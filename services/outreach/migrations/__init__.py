"""Migrations of the schema `benchmark`: forward only; a revision that has run is history."""

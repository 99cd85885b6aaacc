"""Migrations of the dashboard's schema."""

"""Timed or claimed background work."""

"""Alembic versions of schema alerting, forward only."""

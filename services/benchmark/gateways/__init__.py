"""Outbound HTTP: the scorer's API, asked with the caller's own key."""

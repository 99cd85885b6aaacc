"""Beside the pages: notice that something has changed, and tell the open ones."""

"""Structured logs and metrics of a process, never the content of answers."""

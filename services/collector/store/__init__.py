"""Every SQL statement of the collector."""

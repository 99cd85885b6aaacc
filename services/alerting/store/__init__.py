"""Every SQL statement of alerting, returning domain values."""

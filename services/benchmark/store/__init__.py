"""Every SQL statement of the benchmark service."""

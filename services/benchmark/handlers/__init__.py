"""Use cases of the benchmark service."""

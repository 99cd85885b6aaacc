"""HTTP in: the API under /v1."""

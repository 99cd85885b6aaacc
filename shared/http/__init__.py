"""The HTTP edge that all services share: problems, strict JSON, limits, access, health, metrics, paging."""

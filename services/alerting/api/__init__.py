"""HTTP in: routes, request and response models; no SQL."""

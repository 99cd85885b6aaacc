"""The guarded HTTP client and the vault."""

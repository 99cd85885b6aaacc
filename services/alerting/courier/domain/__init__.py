"""The rules of delivering, as pure functions."""

"""API keys: who may call, what for, and whose accounts they know. The one table that belongs to no service."""

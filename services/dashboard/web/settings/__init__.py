"""Settings: the pages of admins."""

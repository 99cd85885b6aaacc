"""Every SQL statement of the scorer, by what it is about."""

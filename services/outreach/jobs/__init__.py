"""Work by time."""

"""Work that comes by time."""

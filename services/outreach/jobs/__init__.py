"""Work that comes by time."""
"""Work by time."""

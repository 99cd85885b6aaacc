"""Files that people bring: sent, looked at, taken, reported, undone."""

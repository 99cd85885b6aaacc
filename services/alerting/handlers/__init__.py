"""Use cases: load, decide, save, record what goes out; they never commit."""

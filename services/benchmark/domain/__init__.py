"""Rules of comparison: pure functions over plain values."""

"""The project's own benchmarks: each prints what it measured, side by side with a raw baseline in the same run."""

"""HTTP in: benchmarks and comparisons."""

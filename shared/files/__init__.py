"""The one reader of files that people send: imports, sets of benchmarks and `tellback verify` read with it."""

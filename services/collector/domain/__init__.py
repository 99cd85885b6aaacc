"""The collector's rules as pure functions: reading delimited files, matching columns, merging records."""

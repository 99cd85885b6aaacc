"""The inputs of the collector: one set of strict models for HTTP bodies and rows of files."""

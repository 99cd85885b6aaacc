"""What may be asked of the collector: one family of strict models, the same for HTTP bodies and rows of files."""

"""Writes the documents that are made from the code: `make docs`; `make check` tells when they are stale."""

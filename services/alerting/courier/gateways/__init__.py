"""One attempt: signed and posted."""

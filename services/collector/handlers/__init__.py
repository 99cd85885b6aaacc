"""Use cases of the collector: validate a client's request, and make the events that follow from it."""

"""Use cases of the collector: what a client asks for, checked, and the events that follow from it."""

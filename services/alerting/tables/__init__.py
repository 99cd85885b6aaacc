"""Tables of schema alerting."""

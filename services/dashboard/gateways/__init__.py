"""Outbound: the public HTTP APIs of the services, and secrets at rest."""

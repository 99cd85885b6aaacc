"""Rules of the dashboard: rights of roles, the end of sessions, the wording of figures. Standard library only."""

"""Shows people who turned, why, and what to do about it; asks the other services by their public HTTP APIs only."""

READS = ()
EMITS = ()
SERVES = "pages for people"
OWNS = "users, sessions, audit"
SCHEMA = "dashboard"

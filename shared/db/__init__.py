"""PostgreSQL: sessions, the outbox, the inbox, cursors, migrations and the replica of the directory."""

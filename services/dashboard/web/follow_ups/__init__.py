"""Follow-ups: the board, the list, and one task with all that can be done about it."""

"""Follow-ups: the board, the list, and the page of one with its actions."""

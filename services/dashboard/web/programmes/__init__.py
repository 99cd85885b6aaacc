"""Programmes: asking by mail, whom and when, what came of it and what comes next."""

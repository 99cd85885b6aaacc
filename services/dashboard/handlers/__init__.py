"""Use cases: sign in and out, manage people and their keys."""

"""Use cases: sign in and out, look after people and their keys."""

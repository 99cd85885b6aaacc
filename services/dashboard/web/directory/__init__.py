"""Accounts and people of the directory: made, changed, removed, erased, brought out."""

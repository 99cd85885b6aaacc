"""Contracts and plumbing of every service; knows no NPS rule and no service's table."""

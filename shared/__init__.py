"""Contracts and plumbing that every service stands on; knows no NPS rule and no service's table."""

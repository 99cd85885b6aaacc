"""Refusals that name one field."""

from shared.errors import Invalid


def refused(field: str, code: str, detail: str) -> Invalid:
    """`Invalid` for one field; the texts repeat nothing of the input."""
    errors = [{"field": field, "code": code, "detail": detail}]
    return Invalid("invalid_request", "the request breaks the rules of its fields", errors=errors)

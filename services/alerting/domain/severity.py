"""How bad it is: four severities in order."""

from typing import Literal

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""From the worst to the mildest."""
PREMIUM = "premium"
"""The tier of accounts whose follow-ups are one step worse."""


def rank(severity: Severity) -> int:
    """0 is the worst."""
    return SEVERITIES.index(severity)


def raised(severity: Severity) -> Severity:
    """One step worse; critical stays."""
    return SEVERITIES[max(0, rank(severity) - 1)]


def severity_at(tier: object, severity: Severity) -> Severity:
    """The severity of a rule at an account of this tier: a premium account raises it by one step."""
    if tier == PREMIUM:
        return raised(severity)
    return severity


def worse(first: Severity, second: Severity) -> Severity:
    """The worse of the two."""
    return min(first, second, key=rank)

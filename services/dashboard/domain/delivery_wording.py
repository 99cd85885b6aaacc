"""The state of deliveries to webhook endpoints, in words."""

from services.dashboard.domain import wording

STATES = {
    "pending": "○ waiting",
    "sending": "○ being sent",
    "delivered": "● delivered",
    "exhausted": "▼ given up",
    "blocked": "▼ not allowed",
    "held": "▼ held",
    "cancelled": "▼ cancelled",
}
"""Each state with its sign."""
FAILURES = {
    "dns": "its host was not found",
    "connect": "no connection",
    "proxy": "the proxy on the way out fails (TELLBACK_ALERTING_PROXY)",
    "tls": "no secure connection (TLS)",
    "blocked": "an address in a network that is not allowed",
    "timeout": "no answer in time",
    "reset": "the connection broke off",
    "protocol": "the answer was no HTTP",
    "http_1xx": "an answer that is none (1xx)",
    "http_3xx": "it sent us elsewhere (3xx)",
    "http_4xx": "it refused (4xx)",
    "http_5xx": "it failed (5xx)",
    "lost": "the sender died meanwhile",
    "interrupted": "the sender was stopped meanwhile",
    "internal": "a fault of ours: see the log",
    "sealed": "its secret cannot be read with this secret key",
    "expired": "too old",
}


def under_way(status: str, tries: int) -> bool:
    """Whether the delivery is being tried now, or is about to be tried for the first time; a retry may be hours
    away."""
    return status == "sending" or (status == "pending" and tries == 0)


def went(status: str, failure: str | None) -> str:
    """The state with its sign and, where it failed, why."""
    state = STATES.get(status, wording.plain(status).lower())
    if status == "delivered" or not failure:
        return state
    return f"{state}: {why(failure)}"


def why(failure: str) -> str:
    """Why a try failed."""
    return FAILURES.get(failure, wording.plain(failure).lower())

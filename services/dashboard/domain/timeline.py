"""What changed at an account and when: turns of people, events around them, and what was done, in one line of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["change", "event", "closed"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened; `what` is the category change, the context event or the follow-up that was closed."""

    at: str
    kind: Kind
    what: Mapping[str, Any]


def timeline(
    changes: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]
) -> list[Moment]:
    """All of it, the newest first. Times are RFC 3339."""
    moments = [Moment(one["changed_at"], "change", one) for one in changes]
    moments += [Moment(one["at"], "event", one) for one in events]
    moments += [Moment(one["closed_at"], "closed", one) for one in tasks if one["closed_at"]]
    return sorted(moments, key=lambda one: datetime.fromisoformat(one.at), reverse=True)

"""Sums of asks: planned = waiting + held + skipped + sent + failed + withdrawn, and sent = the sum of its outcomes."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

STATES: Final = ("waiting", "held", "skipped", "sent", "failed", "withdrawn")
OUTCOMES: Final = ("answered", "bounced", "withdrawn", "expired", "open")
FLAGS: Final = ("started", "finished", "reminded", "unsubscribed")


def groups_of(rows: Iterable[Mapping[str, Any]], *, whole: bool) -> list[dict[str, Any]]:
    """Groups of counts (key, name, state, reason, outcome, count and one count for each of FLAGS), in their order; with
    `whole` there is one group, also of nothing."""
    groups: dict[Any, dict[str, Any]] = {}
    if whole:
        groups[None] = _nothing(None, None)
    for row in rows:
        group = groups.setdefault(row["key"], _nothing(row["key"], row["name"]))
        count = row["count"]
        group["planned"] += count
        group[row["state"]] += count
        if row["outcome"] is not None:
            group["outcomes"][row["outcome"]] += count
        for flag in FLAGS:
            group["flags"][flag] += row[flag]
        if row["reason"] is not None:
            _add_reason(group["reasons"], row)
    for group in groups.values():
        if group["planned"]:
            group["sent_rate"] = round(100 * group["sent"] / group["planned"], 1)
    return list(groups.values())


def _add_reason(reasons: list[dict[str, Any]], row: Mapping[str, Any]) -> None:
    for counted in reasons:
        if (counted["state"], counted["reason"]) == (row["state"], row["reason"]):
            counted["count"] += row["count"]
            return
    reasons.append({"state": row["state"], "reason": row["reason"], "count": row["count"]})


def _nothing(key: str | None, name: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "planned": 0,
        **dict.fromkeys(STATES, 0),
        "outcomes": dict.fromkeys(OUTCOMES, 0),
        "flags": dict.fromkeys(FLAGS, 0),
        "sent_rate": None,
        "reasons": [],
    }

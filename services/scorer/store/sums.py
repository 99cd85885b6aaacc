"""Snapshots as integers: one row an account, window and method, rewritten together with the snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.scorer.domain.account import AccountCounts, CountedSnapshot
from services.scorer.domain.categories import HIGHEST_SCORE
from services.scorer.domain.figures import Tally
from shared.db.transaction import ReadTx, WriteTx

NOW: Final = tuple(f"s{score}" for score in range(HIGHEST_SCORE + 1))
BEFORE: Final = tuple(f"p{score}" for score in range(HIGHEST_SCORE + 1))
"""How many answers of each score, in the window and in the one before."""
REACH: Final = ("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested")
_COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("account_id", "score_window", "method"), "text"),
    **dict.fromkeys(("n", "total", "n_before", "total_before", *NOW, "voices"), "int"),
    "last_at": "timestamptz",
    **dict.fromkeys((*BEFORE, "voices_before"), "int"),
    "last_before": "timestamptz",
    **dict.fromkeys(("pairs", "pairs_sum", "pairs_squares", "known", *REACH), "int"),
}
_KEYS: Final = ("score_window", "method", "account_id")
_UPSERT: Final = (
    f"insert into snapshot_sums ({', '.join(_COLUMNS)}) select * from"
    f" unnest({', '.join(f'cast(:{name} as {kind}[])' for name, kind in _COLUMNS.items())})"
    f" on conflict ({', '.join(_KEYS)}) do update set"
    f" {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name not in _KEYS)}"
)


async def save_sums(tx: WriteTx, snapshots: Iterable[tuple[str, CountedSnapshot]]) -> None:
    """Write the counts of (account_id, snapshot)."""
    rows = [row for account_id, counted in snapshots for row in rows_of(account_id, counted)]
    if rows:
        await tx.execute(_UPSERT, **{name: [row[name] for row in rows] for name in _COLUMNS})


def rows_of(account_id: str, counted: CountedSnapshot) -> list[dict[str, Any]]:
    """The rows that one account's counts make, one a window and method."""
    return [
        _row(account_id, window, method, counts)
        for window, by_method in counted.items()
        for method, counts in by_method.items()
    ]


async def read_sums(tx: ReadTx, account_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows stored of each account, in no particular order."""
    rows = await tx.all(
        "select * from snapshot_sums where account_id = any(cast(:ids as text[]))", ids=list(account_ids)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["account_id"]].append(dict(row))
    return found


def same_rows(one: Iterable[dict[str, Any]], other: Iterable[dict[str, Any]]) -> bool:
    """Whether two lists hold the same rows of one account, in whatever order."""
    return {_place(row): row for row in one} == {_place(row): row for row in other}


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["score_window"], row["method"]


def _row(account_id: str, window: str, method: str, counts: AccountCounts) -> dict[str, Any]:
    now, before = counts.now, counts.before or Tally()
    return {
        "account_id": account_id,
        "score_window": window,
        "method": method,
        "n": now.total,
        "total": now.promoters - now.detractors,
        "n_before": before.total,
        "total_before": before.promoters - before.detractors,
        **dict(zip(NOW, now.scores, strict=True)),
        "voices": now.voices,
        "last_at": now.last_answered_at,
        **dict(zip(BEFORE, before.scores, strict=True)),
        "voices_before": before.voices,
        "last_before": before.last_answered_at,
        "pairs": counts.pairs.people,
        "pairs_sum": counts.pairs.total,
        "pairs_squares": counts.pairs.squares,
        "known": counts.known,
        **{name: getattr(counts.reach, name) for name in REACH},
    }

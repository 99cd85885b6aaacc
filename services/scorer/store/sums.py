"""Snapshots as integers: one row an account, window and method, rewritten together with the snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from services.scorer.domain.account import AccountCounts
from services.scorer.domain.categories import HIGHEST_SCORE
from services.scorer.domain.figures import NOTHING
from services.scorer.domain.projection import Snapshot
from shared.db.transaction import ReadTx, WriteTx

NOW: Final = tuple(f"s{score}" for score in range(HIGHEST_SCORE + 1))
BEFORE: Final = tuple(f"p{score}" for score in range(HIGHEST_SCORE + 1))
"""How many answers of each score, in the window and in the one before."""
REACH: Final = ("asked", "sent", "delivered", "opened", "bounced", "answered", "commented", "follow_up_requested")
_SHOWN: Final = ("nps", "ci_low", "ci_high", "previous_nps", "change", "significant", "response_rate")
"""Figures that views show, for who asks in SQL."""
_COLUMNS: Final = (
    *("account_id", "score_window", "method", "n", "total", "n_before", "total_before"),
    *(*NOW, "voices", "last_at", *BEFORE, "voices_before", "last_before"),
    *("pairs", "pairs_sum", "pairs_squares", "known", *REACH, *_SHOWN),
)
"""Those of the table and, in this order, of the type `snapshot_sums_row_v2`."""
_KEYS: Final = ("score_window", "method", "account_id")
_UPSERT: Final = (
    f"insert into snapshot_sums ({', '.join(_COLUMNS)}) select {', '.join(_COLUMNS)}"
    " from unnest(cast(:rows as snapshot_sums_row_v2[]))"
    f" on conflict ({', '.join(_KEYS)}) do update set"
    f" {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name not in _KEYS)}"
)
_reach_of = attrgetter(*REACH)


async def save_sums(tx: WriteTx, snapshots: Iterable[tuple[str, Snapshot]]) -> None:
    """Write the counts of (account_id, snapshot)."""
    rows = [row for account_id, snapshot in snapshots for row in _tuples_of(account_id, snapshot)]
    if rows:
        await tx.execute(_UPSERT, rows=rows)


def rows_of(account_id: str, snapshot: Snapshot) -> list[dict[str, Any]]:
    """The rows that one account's counts make, one a window and method."""
    return [dict(zip(_COLUMNS, row, strict=True)) for row in _tuples_of(account_id, snapshot)]


def _tuples_of(account_id: str, snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for window, by_method in snapshot.counted.items():
        for method, counts in by_method.items():
            yield account_id, window, method, *_values_of(counts), *_shown_of(snapshot.figures[window][method])


async def read_sums(tx: ReadTx, account_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows stored of each account, in no particular order."""
    rows = await tx.all(
        f"select {', '.join(_COLUMNS)} from snapshot_sums where account_id = any(cast(:ids as text[]))",
        ids=list(account_ids),
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


def _values_of(counts: AccountCounts) -> tuple[Any, ...]:
    now, before, pairs = counts.now, counts.before or NOTHING, counts.pairs
    return (
        now.total,
        now.promoters - now.detractors,
        before.total,
        before.promoters - before.detractors,
        *now.scores,
        now.voices,
        now.last_answered_at,
        *before.scores,
        before.voices,
        before.last_answered_at,
        pairs.people,
        pairs.total,
        pairs.squares,
        counts.known,
        *_reach_of(counts.reach),
    )


def _shown_of(figures: Mapping[str, Any]) -> tuple[Any, ...]:
    previous = figures["previous"]
    return (
        figures["nps"],
        figures["ci_low"],
        figures["ci_high"],
        previous["nps"] if previous else None,
        figures["change"],
        figures["significant"],
        figures["response_rate"],
    )

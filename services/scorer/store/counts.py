"""The kept counts, one row of `account_counts` an account, window and moment: as of now (`KEPT_NOW`, infinity), written
together with the snapshot, and as of the ends of months. A count of 0 is null, which takes no room."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import starmap
from operator import attrgetter
from typing import Any, Final

from services.scorer.domain.categories import HIGHEST_SCORE
from services.scorer.domain.counts import Counts, Scores
from services.scorer.domain.figures import Pairs
from services.scorer.domain.invitations import InvitationCounts
from services.scorer.domain.windows import Window
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx

KEPT_NOW: Final = datetime.max.replace(tzinfo=UTC)
"""As asyncpg writes PostgreSQL's infinity; it reads it without the time zone."""
Kept = tuple[str, str, datetime, Counts]
"""(account_id, window, moment, counts)."""
SCORES: Final = range(HIGHEST_SCORE + 1)
INVITATIONS: Final = (
    *("asked", "sent", "delivered", "opened", "started", "bounced"),
    *("answered", "commented", "follow_up_requested", "withdrawn"),
)
_PICKED: Final = ("latest", "latest_before", "all", "all_before")
_KEYS: Final = ("score_window", "moment", "account_id")
_VALUES: Final = (
    *(f"{picked}_{score}" for picked in _PICKED for score in SCORES),
    *("respondents", "respondents_before", "last_at", "last_before", "pairs", "pairs_sum", "pairs_squares", "known"),
    *INVITATIONS,
)
_COLUMNS: Final = (*_KEYS, *_VALUES)
"""Those of the table and, in this order, of the type `account_counts_row`."""
_UPSERT: Final = (
    f"insert into account_counts ({', '.join(_COLUMNS)}) select {', '.join(_COLUMNS)}"
    " from unnest(cast(:rows as account_counts_row[]))"
    f" on conflict ({', '.join(_KEYS)}) do update set"
    f" {comma_list('{0} = excluded.{0}', _VALUES)}"
)
_READ: Final = f"""
    select {", ".join(_COLUMNS)} from account_counts
    where score_window = any(cast(:windows as text[])) and account_id = any(cast(:account_ids as text[]))
    and moment = any(cast(:moments as timestamptz[]))
"""
_invitations_of = attrgetter(*INVITATIONS)


async def save_counts(tx: WriteTx, kept: Iterable[Kept]) -> None:
    """Write the counts in place of what was kept under their window, moment and account."""
    rows = list(starmap(_row, kept))
    if rows:
        await tx.execute(_UPSERT, rows=rows)


async def read_counts(
    tx: ReadTx, account_ids: Sequence[str], windows: Sequence[Window], moments: Sequence[datetime]
) -> dict[str, dict[tuple[str, datetime], Counts]]:
    """What is kept of each account: (window, moment) → counts."""
    names = [window.name for window in windows]
    rows = await tx.rows(_READ, account_ids=list(account_ids), windows=names, moments=list(moments))
    found: dict[str, dict[tuple[str, datetime], Counts]] = {account_id: {} for account_id in account_ids}
    for window, moment, account_id, *values in rows:
        found[account_id][window, moment.replace(tzinfo=UTC)] = counts_of(dict(zip(_VALUES, values, strict=True)))
    return found


def counts_of(row: Mapping[str, Any]) -> Counts:
    """The counts that a row holds; what it has no column for is 0, as what is null."""
    return Counts(
        latest=_scores(row, "latest"),
        latest_before=_scores(row, "latest_before"),
        all=_scores(row, "all"),
        all_before=_scores(row, "all_before"),
        respondents=_count(row, "respondents"),
        respondents_before=_count(row, "respondents_before"),
        last_at=row["last_at"],
        last_before=row["last_before"],
        pairs=Pairs(_count(row, "pairs"), _count(row, "pairs_sum"), _count(row, "pairs_squares")),
        known=_count(row, "known"),
        invitations=InvitationCounts(**{name: _count(row, name) for name in INVITATIONS}),
    )


def _scores(row: Mapping[str, Any], picked: str) -> Scores:
    return tuple(_count(row, f"{picked}_{score}") for score in SCORES)


def _count(row: Mapping[str, Any], name: str) -> int:
    return int(row.get(name) or 0)


def _row(account_id: str, window: str, moment: datetime, counts: Counts) -> tuple[Any, ...]:
    values = (
        *counts.latest,
        *counts.latest_before,
        *counts.all,
        *counts.all_before,
        counts.respondents,
        counts.respondents_before,
        counts.last_at,
        counts.last_before,
        counts.pairs.people,
        counts.pairs.total,
        counts.pairs.squares,
        counts.known,
        *_invitations_of(counts.invitations),
    )
    return window, moment, account_id, *[value or None for value in values]

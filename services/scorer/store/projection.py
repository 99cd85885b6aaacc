"""What the projector reads and writes: whole accounts, many at a time, a handful of statements for all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import RowMapping

from services.scorer.domain.drops import DropState
from services.scorer.domain.pairs import Entry, Pair, Ref, Series
from services.scorer.domain.projection import AccountState, Snapshot, ToldSnapshot
from services.scorer.domain.reach import Invitation, Reply
from services.scorer.domain.silence import Asked
from services.scorer.store.reading.account import commented
from shared.db.transaction import ReadTx, WriteTx

Rows = Mapping[str, Sequence[RowMapping]]
"""account_id -> its rows."""
Stored = tuple[Entry, str | None, bool]
"""A response with the invitation that it names, and whether it has a comment."""
_RESPONSES = (
    "select account_id, invitation_id, stakeholder_id, survey_type, nps_kind, response_id, answered_at, recorded_at,"
    " score, follow_up_requested, touchpoint, product, quiet, test, withdrawn, erased, revision, updated_at,"
    f" {commented('responses')} as commented from responses where account_id = any(cast(:ids as text[]))"
)
READ: Mapping[str, str] = {
    "invitations": "account_id, invitation_id, stakeholder_id, sent_at, delivered_at, opened_at, started_at,"
    " bounced_at, unsubscribed_at is not null or withdrawn_at is not null as called_off, recorded_at, silent_at",
    "stakeholders": "account_id, stakeholder_id, type, removed",
    "accounts": "account_id, removed, cast(record ->> 'closed_on' as date) as closed_on, industry, tier, region,"
    " revenue_amount, revenue_currency, renewal_on",
    "latest_pairs": "*",
    "snapshots": "account_id, sequence, account_class, attributes, digest, dropped, dropped_until, next_border",
}
_SNAPSHOT = (
    *("account_id", "sequence", "computed_at", "account_class", "class_numbers", "attributes", "digest"),
    *("dropped", "dropped_until", "next_border"),
)
"""Columns of `snapshots` and, in this order, of the type `snapshot_row`."""
_PAIR = (
    *("account_id", "stakeholder_id", "survey_type", "nps_kind", "response_id", "answered_at", "score"),
    *("follow_up_requested", "fresh", "previous_response_id", "previous_answered_at", "previous_score"),
    "falls_in_a_row",
)
"""Columns of `latest_pairs` and, in this order, of the type `latest_pair_row`."""
_JSON = ("class_numbers", "attributes")


def _upsert(table: str, row: str, columns: Sequence[str], keys: int) -> str:
    values = ", ".join(f"{name}::jsonb" if name in _JSON else name for name in columns)
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
    return (
        f"insert into {table} ({', '.join(columns)}) select {values} from unnest(cast(:rows as {row}[]))"
        f" on conflict ({', '.join(columns[:keys])}) do update set {updates}"
    )


UPSERT_SNAPSHOTS = _upsert("snapshots", "snapshot_row", _SNAPSHOT, keys=1)
UPSERT_PAIRS = _upsert("latest_pairs", "latest_pair_row", _PAIR, keys=4)
DELETE_PAIRS = """
    delete from latest_pairs where (account_id, stakeholder_id, survey_type, nps_kind) in (select * from unnest(
        cast(:account_ids as text[]), cast(:stakeholder_ids as text[]), cast(:survey_types as text[]),
        cast(:nps_kinds as text[])))
"""
_ASKED = (
    "unnest(cast(:accounts as text[]), cast(:invitations as text[]), cast(:stakeholders as text[]))"
    " as t(account_id, invitation_id, stakeholder_id)"
)
_SAME = ("account_id", "invitation_id", "stakeholder_id")
LOCK_FREE = (
    f"select account_id, invitation_id, stakeholder_id from invitations join {_ASKED} using ({', '.join(_SAME)})"
    " for update of invitations skip locked"
)
SAVE_SILENCES = f"update invitations set silent_at = :at from {_ASKED} where " + " and ".join(
    f"invitations.{name} = t.{name}" for name in _SAME
)


async def read_accounts(tx: ReadTx, account_ids: Sequence[str]) -> tuple[list[AccountState], dict[str, int]]:
    """The state of each account, in the order given, and the sequence that its last event had."""
    answers = await _read_responses(tx, account_ids)
    found: dict[str, Rows] = {}
    for table, columns in READ.items():
        rows = await tx.all(
            f"select {columns} from {table} where account_id = any(cast(:ids as text[]))", ids=list(account_ids)
        )
        found[table] = _grouped(rows)
    snapshots = {account_id: rows[0] for account_id, rows in found["snapshots"].items()}
    states = [
        _state(account_id, answers.get(account_id, ()), found, snapshots.get(account_id)) for account_id in account_ids
    ]
    return states, {account_id: row["sequence"] for account_id, row in snapshots.items()}


async def _read_responses(tx: ReadTx, account_ids: Sequence[str]) -> Mapping[str, Sequence[Stored]]:
    """Every response of each account; by position, since there are many of them."""
    grouped: dict[str, list[Stored]] = defaultdict(list)
    for account_id, invitation_id, person, survey_type, nps_kind, response_id, *values, with_comment in await tx.rows(
        _RESPONSES, ids=list(account_ids)
    ):
        entry = Entry(response_id, Series(person, survey_type, nps_kind), *values)
        grouped[account_id].append((entry, invitation_id, with_comment))
    return grouped


def _grouped(rows: Iterable[RowMapping]) -> Rows:
    grouped: dict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        grouped[row["account_id"]].append(row)
    return grouped


def _state(
    account_id: str, responses: Sequence[Stored], found: Mapping[str, Rows], snapshot: RowMapping | None
) -> AccountState:
    invitations = [row for row in found["invitations"].get(account_id, ()) if row["sent_at"] is not None]
    people = found["stakeholders"].get(account_id, ())
    accounts = found["accounts"].get(account_id, ())
    left = bool(accounts and accounts[0]["removed"])  # its people are in nobody's reach any more
    return AccountState(
        account_id,
        entries=[entry for entry, _, _ in responses],
        invitations=_invitations(invitations, responses),
        asked=[_asked(row) for row in invitations],
        listed=frozenset(row["stakeholder_id"] for row in people if not (left or row["removed"])),
        types={row["stakeholder_id"]: row["type"] for row in people},
        attributes=_attributes(accounts[0]) if accounts else {},
        told_pairs=dict(_pair(row) for row in found["latest_pairs"].get(account_id, ())),
        told=_snapshot(snapshot) if snapshot else None,
        removed=left,
        closed_on=accounts[0]["closed_on"] if accounts else None,
        removed_people=frozenset(row["stakeholder_id"] for row in people if row["removed"]),
    )


def _invitations(invitations: Iterable[RowMapping], responses: Iterable[Stored]) -> list[Invitation]:
    """The invitations sent, each with the live submissions that name it."""
    replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
    for entry, invitation_id, with_comment in responses:
        if invitation_id and entry.live:
            replies[invitation_id, entry.series.stakeholder_id].append(
                Reply(entry.answered_at, with_comment, entry.follow_up_requested)
            )
    return [
        Invitation(
            row["stakeholder_id"],
            row["sent_at"],
            row["delivered_at"],
            row["opened_at"],
            row["started_at"],
            row["bounced_at"],
            tuple(replies.get((row["invitation_id"], row["stakeholder_id"]), ())),
        )
        for row in invitations
    ]


def _asked(row: RowMapping) -> Asked:
    return Asked(
        row["invitation_id"],
        row["stakeholder_id"],
        row["sent_at"],
        row["recorded_at"],
        row["delivered_at"],
        row["opened_at"],
        row["started_at"],
        row["bounced_at"],
        row["called_off"],
        row["silent_at"],
    )


def _attributes(row: RowMapping) -> dict[str, Any]:
    """The attributes that account-scores carries, as JSON values."""
    amount, renewal_on = row["revenue_amount"], row["renewal_on"]
    return {
        "industry": row["industry"],
        "tier": row["tier"],
        "region": row["region"],
        "annual_revenue": {"amount": str(amount), "currency": row["revenue_currency"]} if amount is not None else None,
        "renewal_on": renewal_on.isoformat() if renewal_on else None,
    }


def _snapshot(row: RowMapping) -> ToldSnapshot:
    return ToldSnapshot(
        row["account_class"],
        row["attributes"],
        row["digest"],
        DropState(row["dropped"], row["dropped_until"]),
        row["next_border"],
    )


def _pair(row: RowMapping) -> tuple[Series, Pair]:
    previous = row["previous_response_id"]
    return Series(row["stakeholder_id"], row["survey_type"], row["nps_kind"]), Pair(
        Ref(row["response_id"], row["answered_at"], row["score"]),
        Ref(previous, row["previous_answered_at"], row["previous_score"]) if previous is not None else None,
        row["follow_up_requested"],
        row["fresh"],
        row["falls_in_a_row"],
    )


async def save_snapshots(
    tx: WriteTx, rows: Sequence[tuple[str, int, Snapshot, datetime | None]], computed_at: datetime
) -> None:
    """Write (account_id, sequence, snapshot, next border)."""
    if not rows:
        return
    await tx.execute(UPSERT_SNAPSHOTS, rows=[_snapshot_row(*row, computed_at) for row in rows])


def _snapshot_row(
    account_id: str, sequence: int, snapshot: Snapshot, next_border: datetime | None, computed_at: datetime
) -> tuple[Any, ...]:
    return (
        account_id,
        sequence,
        computed_at,
        snapshot.account_class,
        to_json(snapshot.class_numbers).decode(),
        to_json(snapshot.attributes).decode(),
        snapshot.digest,
        snapshot.drop.dropped,
        snapshot.drop.until,
        next_border,
    )


async def save_pairs(tx: WriteTx, pairs: Sequence[tuple[str, Series, Pair | None]]) -> None:
    """Write (account_id, series, pair); None deletes."""
    gone = [(account_id, *series) for account_id, series, pair in pairs if pair is None]
    if gone:
        names = ("account_ids", "stakeholder_ids", "survey_types", "nps_kinds")
        await tx.execute(DELETE_PAIRS, **dict(zip(names, map(list, zip(*gone, strict=True)), strict=True)))
    rows = [_pair_row(account_id, series, pair) for account_id, series, pair in pairs if pair is not None]
    if rows:
        await tx.execute(UPSERT_PAIRS, rows=rows)


def _pair_row(account_id: str, series: Series, pair: Pair) -> tuple[Any, ...]:
    latest, previous = pair.latest, pair.previous
    before = (previous.response_id, previous.answered_at, previous.score) if previous else (None, None, None)
    return (
        account_id,
        *series,
        latest.response_id,
        latest.answered_at,
        latest.score,
        pair.follow_up_requested,
        pair.fresh,
        *before,
        pair.falls_in_a_row,
    )


async def busy(tx: WriteTx, asked: Sequence[tuple[str, Asked]]) -> set[str]:
    """Lock invitations (account_id, invitation); the accounts of those that somebody else has locked."""
    free = await tx.all(LOCK_FREE, **_keys(asked))
    locked = {(row["account_id"], row["invitation_id"], row["stakeholder_id"]) for row in free}
    return {
        account_id
        for account_id, asking in asked
        if (account_id, asking.invitation_id, asking.stakeholder_id) not in locked
    }


async def save_silences(tx: WriteTx, told: Sequence[tuple[str, Asked]], at: datetime) -> None:
    """Note (account_id, invitation) whose silence was told or passed over."""
    if not told:
        return
    await tx.execute(SAVE_SILENCES, **_keys(told), at=at)


def _keys(asked: Sequence[tuple[str, Asked]]) -> dict[str, list[str]]:
    return {
        "accounts": [account_id for account_id, _ in asked],
        "invitations": [asking.invitation_id for _, asking in asked],
        "stakeholders": [asking.stakeholder_id for _, asking in asked],
    }


async def sample(tx: ReadTx, accounts: int) -> dict[str, datetime]:
    """Some accounts that nothing waits to change, picked at random: account_id -> when they were computed."""
    rows = await tx.all(
        "select account_id, computed_at from snapshots where account_id not in (select account_id from marks)"
        " order by random() limit :accounts",
        accounts=accounts,
    )
    return {row["account_id"]: row["computed_at"] for row in rows}

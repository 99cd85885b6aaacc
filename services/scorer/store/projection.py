"""What the projector reads and writes: whole accounts, many at a time, a handful of statements for all of them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.scorer.domain.drops import DropState
from services.scorer.domain.pairs import Entry, Pair, Ref, Series
from services.scorer.domain.projection import AccountState, Snapshot
from services.scorer.domain.reach import Invitation, Reply
from services.scorer.domain.silence import Asked
from services.scorer.store.reading.account import commented
from shared.db.transaction import ReadTx, WriteTx

Rows = Mapping[str, Sequence[RowMapping]]
"""account_id -> its rows."""
READ: Mapping[str, str] = {
    "responses": "response_id, account_id, stakeholder_id, survey_type, nps_kind, answered_at, recorded_at, score,"
    " follow_up_requested, touchpoint, product, quiet, test, withdrawn, erased, revision, updated_at, invitation_id,"
    f" {commented('responses')} as commented",
    "invitations": "account_id, invitation_id, stakeholder_id, sent_at, delivered_at, opened_at, started_at,"
    " bounced_at, recorded_at, silent_at",
    "stakeholders": "account_id, stakeholder_id, type, removed",
    "accounts": "account_id, removed, industry, tier, region, revenue_amount, revenue_currency, renewal_on",
    "latest_pairs": "*",
    "snapshots": "*",
}
_SNAPSHOT: Mapping[str, str] = {
    "account_id": "text",
    "sequence": "bigint",
    "computed_at": "timestamptz",
    "account_class": "text",
    "class_numbers": "text",
    "attributes": "text",
    "figures": "text",
    "dropped": "bool",
    "dropped_until": "timestamptz",
    "next_border": "timestamptz",
}
_PAIR: Mapping[str, str] = {
    "account_id": "text",
    "stakeholder_id": "text",
    "survey_type": "text",
    "nps_kind": "text",
    "response_id": "text",
    "answered_at": "timestamptz",
    "score": "smallint",
    "follow_up_requested": "bool",
    "fresh": "bool",
    "previous_response_id": "text",
    "previous_answered_at": "timestamptz",
    "previous_score": "smallint",
    "falls_in_a_row": "int",
}
_JSON = ("class_numbers", "attributes", "figures")


def _upsert(table: str, columns: Mapping[str, str], keys: int) -> str:
    names = list(columns)
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in columns.items())
    values = ", ".join(f"{name}::jsonb" if name in _JSON else name for name in names)
    updates = ", ".join(f"{name} = excluded.{name}" for name in names[keys:])
    return (
        f"insert into {table} ({', '.join(names)}) select {values} from unnest({arrays}) as r({', '.join(names)})"
        f" on conflict ({', '.join(names[:keys])}) do update set {updates}"
    )


UPSERT_SNAPSHOTS = _upsert("snapshots", _SNAPSHOT, keys=1)
UPSERT_PAIRS = _upsert("latest_pairs", _PAIR, keys=4)
DELETE_PAIRS = """
    delete from latest_pairs where (account_id, stakeholder_id, survey_type, nps_kind) in (select * from unnest(
        cast(:account_ids as text[]), cast(:stakeholder_ids as text[]), cast(:survey_types as text[]),
        cast(:nps_kinds as text[])))
"""


async def read_accounts(tx: ReadTx, account_ids: Sequence[str]) -> tuple[list[AccountState], dict[str, int]]:
    """The state of each account, in the order given, and the sequence that its last event had."""
    found: dict[str, Rows] = {}
    for table, columns in READ.items():
        rows = await tx.all(
            f"select {columns} from {table} where account_id = any(cast(:ids as text[]))", ids=list(account_ids)
        )
        found[table] = _grouped(rows)
    snapshots = {account_id: rows[0] for account_id, rows in found["snapshots"].items()}
    states = [_state(account_id, found, snapshots.get(account_id)) for account_id in account_ids]
    return states, {account_id: row["sequence"] for account_id, row in snapshots.items()}


def _grouped(rows: Iterable[RowMapping]) -> Rows:
    grouped: dict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        grouped[row["account_id"]].append(row)
    return grouped


def _state(account_id: str, found: Mapping[str, Rows], snapshot: RowMapping | None) -> AccountState:
    responses = found["responses"].get(account_id, ())
    invitations = [row for row in found["invitations"].get(account_id, ()) if row["sent_at"] is not None]
    people = found["stakeholders"].get(account_id, ())
    accounts = found["accounts"].get(account_id, ())
    left = bool(accounts and accounts[0]["removed"])  # its people are in nobody's reach any more
    return AccountState(
        account_id,
        entries=[_entry(row) for row in responses],
        invitations=_invitations(invitations, responses),
        asked=[_asked(row) for row in invitations],
        listed=frozenset(row["stakeholder_id"] for row in people if not (left or row["removed"])),
        types={row["stakeholder_id"]: row["type"] for row in people},
        attributes=_attributes(accounts[0]) if accounts else {},
        told_pairs=dict(_pair(row) for row in found["latest_pairs"].get(account_id, ())),
        told=_snapshot(snapshot) if snapshot else None,
    )


def _entry(row: RowMapping) -> Entry:
    return Entry(
        response_id=row["response_id"],
        series=Series(row["stakeholder_id"], row["survey_type"], row["nps_kind"]),
        answered_at=row["answered_at"],
        recorded_at=row["recorded_at"],
        score=row["score"],
        follow_up_requested=row["follow_up_requested"],
        touchpoint=row["touchpoint"],
        product=row["product"],
        quiet=row["quiet"],
        test=row["test"],
        withdrawn=row["withdrawn"],
        erased=row["erased"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )


def _invitations(invitations: Iterable[RowMapping], responses: Iterable[RowMapping]) -> list[Invitation]:
    """The invitations sent, each with the live submissions that name it."""
    replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
    for row in responses:
        if row["invitation_id"] and not (row["test"] or row["withdrawn"] or row["erased"]):
            replies[row["invitation_id"], row["stakeholder_id"]].append(
                Reply(row["answered_at"], row["commented"], row["follow_up_requested"])
            )
    return [
        Invitation(
            row["stakeholder_id"],
            row["sent_at"],
            row["delivered_at"],
            row["opened_at"],
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


def _snapshot(row: RowMapping) -> Snapshot:
    return Snapshot(
        row["account_class"],
        row["class_numbers"],
        row["attributes"],
        row["figures"],
        DropState(row["dropped"], row["dropped_until"]),
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
    columns: dict[str, list[Any]] = {
        "account_id": [account_id for account_id, *_ in rows],
        "sequence": [sequence for _, sequence, *_ in rows],
        "computed_at": [computed_at] * len(rows),
        "next_border": [border for *_, border in rows],
    }
    snapshots = [snapshot for _, _, snapshot, _ in rows]
    columns["account_class"] = [snapshot.account_class for snapshot in snapshots]
    columns["dropped"] = [snapshot.drop.dropped for snapshot in snapshots]
    columns["dropped_until"] = [snapshot.drop.until for snapshot in snapshots]
    for name in _JSON:
        columns[name] = [json.dumps(getattr(snapshot, name)) for snapshot in snapshots]
    await tx.execute(UPSERT_SNAPSHOTS, **columns)


async def save_pairs(tx: WriteTx, pairs: Sequence[tuple[str, Series, Pair | None]]) -> None:
    """Write (account_id, series, pair); None deletes."""
    gone = [(account_id, *series) for account_id, series, pair in pairs if pair is None]
    if gone:
        names = ("account_ids", "stakeholder_ids", "survey_types", "nps_kinds")
        await tx.execute(DELETE_PAIRS, **dict(zip(names, map(list, zip(*gone, strict=True)), strict=True)))
    rows = [_pair_row(account_id, series, pair) for account_id, series, pair in pairs if pair is not None]
    if rows:
        await tx.execute(UPSERT_PAIRS, **dict(zip(_PAIR, map(list, zip(*rows, strict=True)), strict=True)))


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


async def save_silences(tx: WriteTx, told: Sequence[tuple[str, Asked]], at: datetime) -> None:
    """Note (account_id, invitation) whose silence was told or passed over."""
    if not told:
        return
    await tx.execute(
        "update invitations set silent_at = :at from unnest(cast(:accounts as text[]), cast(:invitations as text[]),"
        " cast(:stakeholders as text[])) as t(account_id, invitation_id, stakeholder_id)"
        " where invitations.account_id = t.account_id and invitations.invitation_id = t.invitation_id"
        " and invitations.stakeholder_id = t.stakeholder_id",
        at=at,
        accounts=[account_id for account_id, _ in told],
        invitations=[asked.invitation_id for _, asked in told],
        stakeholders=[asked.stakeholder_id for _, asked in told],
    )


async def sample(tx: ReadTx, accounts: int) -> dict[str, datetime]:
    """Some accounts that nothing waits to change, picked at random: account_id -> when they were computed."""
    rows = await tx.all(
        "select account_id, computed_at from snapshots where account_id not in (select account_id from marks)"
        " order by random() limit :accounts",
        accounts=accounts,
    )
    return {row["account_id"]: row["computed_at"] for row in rows}

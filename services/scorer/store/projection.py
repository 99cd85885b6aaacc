"""What the projector reads and writes: whole accounts, many at a time, a handful of statements for all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import RowMapping

from services.scorer.domain.answer_changes import Entry, Pair, Ref, Series
from services.scorer.domain.drops import DropState
from services.scorer.domain.invitations import Invitation, Reply
from services.scorer.domain.projection import AccountState, Moved, Snapshot, StoredSnapshot
from services.scorer.domain.silence import Asked
from services.scorer.store.reading.account import commented
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx, WriteTx, as_columns

Rows = Mapping[str, Sequence[RowMapping]]
"""account_id -> its rows."""
Stored = tuple[Entry, str | None, bool]
"""A response with the invitation that it names, and whether it has a comment."""
Aliases = Mapping[str, Mapping[str, str]]
"""account_id -> further id -> the person's own."""
_RESPONSES = (
    "select account_id, invitation_id, stakeholder_id, given_stakeholder_id, survey_type, nps_kind, response_id,"
    " answered_at, recorded_at, score, follow_up_requested, touchpoint, product, quiet, test, withdrawn, erased,"
    f" revision, updated_at, changed_quietly, {commented('responses')} as commented from responses"
    " where account_id = any(cast(:ids as text[]))"
)
READ: Mapping[str, str] = {
    "invitations": "account_id, invitation_id, stakeholder_id, person_id, sent_at, delivered_at, opened_at, started_at,"
    " bounced_at, withdrawn_at, unsubscribed_at is not null or withdrawn_at is not null as called_off, recorded_at,"
    " silent_at",
    "stakeholders": "account_id, stakeholder_id, type, removed",
    "accounts": "account_id, removed, cast(record ->> 'closed_on' as date) as closed_on, industry, tier, region,"
    " revenue_amount, revenue_currency, renewal_on",
    "latest_pairs": "*",
    "snapshots": "account_id, sequence, account_class, attributes, digest, dropped, dropped_until, recompute_at",
}
_SNAPSHOT = (
    *("account_id", "sequence", "computed_at", "account_class", "class_numbers", "attributes", "digest"),
    *("dropped", "dropped_until", "recompute_at"),
)
"""Columns of `snapshots` and, in this order, of the type `snapshot_row`."""
_PAIR = (
    *("account_id", "stakeholder_id", "survey_type", "nps_kind", "response_id", "answered_at", "score"),
    *("follow_up_requested", "fresh", "previous_response_id", "previous_answered_at", "previous_score"),
    "falls_in_a_row",
)
"""Columns of `latest_pairs` and, in this order, of the type `latest_pair_row`."""
_CASTS = {"class_numbers": "::jsonb", "attributes": "::jsonb"}


def _upsert(table: str, row: str, columns: Sequence[str], keys: int) -> str:
    values = ", ".join(name + _CASTS.get(name, "") for name in columns)
    return (
        f"insert into {table} ({', '.join(columns)}) select {values} from unnest(cast(:rows as {row}[]))"
        f" on conflict ({', '.join(columns[:keys])}) do update set {comma_list('{0} = excluded.{0}', columns[keys:])}"
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
LOCK_FREE = (
    f"select account_id, invitation_id, stakeholder_id from invitations join {_ASKED}"
    " using (account_id, invitation_id, stakeholder_id) for update of invitations skip locked"
)
SAVE_SILENCES = (
    f"update invitations set silent_at = :at from {_ASKED} where invitations.account_id = t.account_id"
    " and invitations.invitation_id = t.invitation_id and invitations.stakeholder_id = t.stakeholder_id"
)


async def read_accounts(tx: ReadTx, account_ids: Sequence[str]) -> tuple[list[AccountState], dict[str, int]]:
    """The state of each account, in the order given, and the sequence that its last event had."""
    aliases = await _read_aliases(tx, account_ids)
    answers, moved = await _read_responses(tx, account_ids, aliases)
    found: dict[str, Rows] = {}
    for table, columns in READ.items():
        rows = await tx.all(
            f"select {columns} from {table} where account_id = any(cast(:ids as text[]))", ids=list(account_ids)
        )
        found[table] = _grouped(rows)
    states = []
    for account_id in account_ids:
        state = _state(account_id, answers.get(account_id, ()), found, aliases.get(account_id, {}))
        states.append(replace(state, moved=moved.get(account_id, ())))
    return states, await _sequences(tx, account_ids, found["snapshots"])


async def _sequences(tx: ReadTx, account_ids: Sequence[str], snapshots: Rows) -> dict[str, int]:
    """The sequence of each account's last event; of an account without one the timeline, above which all begin."""
    sequences = {account_id: rows[0]["sequence"] for account_id, rows in snapshots.items()}
    if not sequences.keys() >= set(account_ids):
        timeline = await tx.scalar("select timeline from feed")
        sequences = dict.fromkeys(account_ids, timeline) | sequences
    return sequences


async def _read_aliases(tx: ReadTx, account_ids: Sequence[str]) -> Aliases:
    rows = await tx.rows(
        "select account_id, alias_id, stakeholder_id from aliases where account_id = any(cast(:ids as text[]))",
        ids=list(account_ids),
    )
    aliases: dict[str, dict[str, str]] = defaultdict(dict)
    for account_id, alias, person in rows:
        aliases[account_id][alias] = person
    return aliases


async def _read_responses(
    tx: ReadTx, account_ids: Sequence[str], aliases: Aliases
) -> tuple[Mapping[str, Sequence[Stored]], Mapping[str, Sequence[Moved]]]:
    """Every response of each account, of whoever its person is by now, and those of which that is somebody else than
    their row says; by position, since there are many of them."""
    grouped: dict[str, list[Stored]] = defaultdict(list)
    moved: dict[str, list[Moved]] = defaultdict(list)
    for (
        account_id,
        invitation_id,
        before,
        given,
        survey_type,
        nps_kind,
        response_id,
        *values,
        with_comment,
    ) in await tx.rows(_RESPONSES, ids=list(account_ids)):
        as_given = given or before
        person = aliases.get(account_id, {}).get(as_given, as_given)
        series = Series(person, survey_type, nps_kind)
        if person != before:
            moved[account_id].append(Moved(response_id, as_given, Series(before, survey_type, nps_kind), series))
        grouped[account_id].append((Entry(response_id, series, *values), invitation_id, with_comment))
    return grouped, moved


def _grouped(rows: Iterable[RowMapping]) -> Rows:
    grouped: dict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        grouped[row["account_id"]].append(row)
    return grouped


def _state(
    account_id: str, responses: Sequence[Stored], found: Mapping[str, Rows], aliases: Mapping[str, str]
) -> AccountState:
    account = _first(found["accounts"], account_id)
    attributes: dict[str, Any] = {}
    closed_on, left = None, False
    if account is not None:
        attributes, closed_on, left = _attributes(account), account["closed_on"], account["removed"]
    snapshot, last_snapshot = _first(found["snapshots"], account_id), None
    if snapshot is not None:
        last_snapshot = _snapshot(snapshot)
    types: dict[str, str | None] = {}
    listed, removed_people = set(), set()
    for person in found["stakeholders"].get(account_id, ()):
        stakeholder_id = person["stakeholder_id"]
        types[stakeholder_id] = person["type"]
        if person["removed"]:
            removed_people.add(stakeholder_id)
        elif not left:  # nobody asks the people of an account that was removed
            listed.add(stakeholder_id)
    invited = found["invitations"].get(account_id, ())
    invitations, asked = _invitations(invited, responses, aliases)
    return AccountState(
        account_id,
        entries=[entry for entry, _, _ in responses],
        invitations=invitations,
        asked=asked,
        listed=frozenset(listed),
        types=types,
        attributes=attributes,
        stored_pairs=dict(map(_pair, found["latest_pairs"].get(account_id, ()))),
        last_snapshot=last_snapshot,
        removed=left,
        closed_on=closed_on,
        removed_people=frozenset(removed_people),
    )


def _first(rows: Rows, account_id: str) -> RowMapping | None:
    """The account's row in a table that has one an account at most."""
    return next(iter(rows.get(account_id, ())), None)


def _invitations(
    rows: Iterable[RowMapping], responses: Iterable[Stored], aliases: Mapping[str, str]
) -> tuple[list[Invitation], list[Asked]]:
    """The invitations sent, each with the live submissions of its person that name it, and how far each of them
    came."""
    replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
    for entry, invitation_id, with_comment in responses:
        if invitation_id and entry.live:
            replies[invitation_id, entry.series.stakeholder_id].append(
                Reply(entry.answered_at, with_comment, entry.follow_up_requested)
            )
    invitations, asked = [], []
    for row in rows:
        invitation_id, given, sent_at = row["invitation_id"], row["stakeholder_id"], row["sent_at"]
        if sent_at is None:
            continue
        person = aliases.get(given, given)
        steps = (row["delivered_at"], row["opened_at"], row["started_at"], row["bounced_at"])
        came = tuple(replies.get((invitation_id, person), ()))
        invitations.append(Invitation(person, sent_at, *steps, came, row["withdrawn_at"]))
        noted = (row["called_off"], row["silent_at"], person != (row["person_id"] or given))
        asked.append(Asked(invitation_id, person, given, sent_at, row["recorded_at"], *steps, *noted))
    return invitations, asked


def _attributes(row: RowMapping) -> dict[str, Any]:
    """The attributes that account-scores carries, as JSON values."""
    attributes = {name: row[name] for name in ("industry", "tier", "region")}
    attributes |= {"annual_revenue": None, "renewal_on": None}
    if row["revenue_amount"] is not None:
        attributes["annual_revenue"] = {"amount": str(row["revenue_amount"]), "currency": row["revenue_currency"]}
    if row["renewal_on"] is not None:
        attributes["renewal_on"] = row["renewal_on"].isoformat()
    return attributes


def _snapshot(row: RowMapping) -> StoredSnapshot:
    return StoredSnapshot(
        row["account_class"],
        row["attributes"],
        row["digest"],
        DropState(row["dropped"], row["dropped_until"]),
        row["recompute_at"],
    )


def _pair(row: RowMapping) -> tuple[Series, Pair]:
    latest, previous = Ref(row["response_id"], row["answered_at"], row["score"]), None
    if row["previous_response_id"] is not None:
        previous = Ref(row["previous_response_id"], row["previous_answered_at"], row["previous_score"])
    pair = Pair(latest, previous, row["follow_up_requested"], row["fresh"], row["falls_in_a_row"])
    return Series(row["stakeholder_id"], row["survey_type"], row["nps_kind"]), pair


async def save_snapshots(
    tx: WriteTx, rows: Sequence[tuple[str, int, Snapshot, datetime | None]], computed_at: datetime
) -> None:
    """Write (account_id, sequence, snapshot, recompute_at)."""
    if not rows:
        return
    await tx.execute(UPSERT_SNAPSHOTS, rows=[_snapshot_row(*row, computed_at) for row in rows])


def _snapshot_row(
    account_id: str, sequence: int, snapshot: Snapshot, recompute_at: datetime | None, computed_at: datetime
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
        recompute_at,
    )


async def save_pairs(tx: WriteTx, pairs: Sequence[tuple[str, Series, Pair | None]]) -> None:
    """Write (account_id, series, pair); None deletes."""
    gone, rows = [], []
    for account_id, series, pair in pairs:
        if pair is not None:
            rows.append(_pair_row(account_id, series, pair))
            continue
        gone.append(
            {
                "account_ids": account_id,
                "stakeholder_ids": series.stakeholder_id,
                "survey_types": series.survey_type,
                "nps_kinds": series.nps_kind,
            }
        )
    if gone:
        await tx.execute(DELETE_PAIRS, **as_columns(gone))
    if rows:
        await tx.execute(UPSERT_PAIRS, rows=rows)


def _pair_row(account_id: str, series: Series, pair: Pair) -> tuple[Any, ...]:
    latest = pair.latest
    previous: tuple[Any, ...] = (None, None, None)
    if pair.previous is not None:
        previous = (pair.previous.response_id, pair.previous.answered_at, pair.previous.score)
    return (
        account_id,
        *series,
        latest.response_id,
        latest.answered_at,
        latest.score,
        pair.follow_up_requested,
        pair.fresh,
        *previous,
        pair.falls_in_a_row,
    )


async def busy(tx: WriteTx, asked: Sequence[tuple[str, Asked]]) -> set[str]:
    """Lock invitations (account_id, invitation); the accounts of those that somebody else has locked."""
    locked = set(map(tuple, await tx.rows(LOCK_FREE, **_keys(asked))))
    busy = set()
    for account_id, asking in asked:
        if (account_id, asking.invitation_id, asking.given_stakeholder_id) not in locked:
            busy.add(account_id)
    return busy


async def save_silences(tx: WriteTx, silences: Sequence[tuple[str, Asked]], at: datetime) -> None:
    """Note (account_id, invitation) whose silence was published or passed over."""
    if not silences:
        return
    await tx.execute(SAVE_SILENCES, **_keys(silences), at=at)


def _keys(asked: Sequence[tuple[str, Asked]]) -> dict[str, list[str]]:
    return as_columns(
        {"accounts": account_id, "invitations": asking.invitation_id, "stakeholders": asking.given_stakeholder_id}
        for account_id, asking in asked
    )


async def sample(tx: ReadTx, accounts: int) -> dict[str, datetime]:
    """Some accounts that nothing waits to change, picked at random: account_id -> when they were computed."""
    rows = await tx.all(
        "select account_id, computed_at from snapshots where account_id not in (select account_id from dirty_accounts)"
        " order by random() limit :accounts",
        accounts=accounts,
    )
    return {row["account_id"]: row["computed_at"] for row in rows}

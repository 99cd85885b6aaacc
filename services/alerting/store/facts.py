"""The facts about accounts as rows: written as they come, in any order; read whole for the accounts to evaluate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.people import FRESH, PersonKey
from services.alerting.domain.rule_facts import AccountState, ClassChange, Drop, Facts, Invitation, Silence
from services.alerting.store.accounts import accounts_by_id, stakeholders_by_id
from services.alerting.store.answers import COLUMNS, stored_answer_of
from services.alerting.store.binds import people_binds
from services.alerting.store.occasions import settled
from shared.db.directory import every_id
from shared.db.transaction import ReadTx, WriteTx

MOMENTS = ("sent", "delivered", "opened", "started", "bounced", "unsubscribed", "withdrawn")
_STEPS = ", ".join(f"{step}_at" for step in MOMENTS)
KEPT_CHANGES = 20
"""Changes of class that are kept of an account."""
SubjectKey = tuple[str, str | None]
"""An account and a person at it, None for the account itself."""


InvitationKey = tuple[str, str, str]
"""An account, a person and an invitation."""
_KEY = ("account_id", "stakeholder_id", "invitation_id")
_LEARNED = {
    "channel": "text",
    **{f"{step}_at": "timestamptz" for step in MOMENTS},
    **dict.fromkeys(("bounce_recorded_at", "recorded_at", "asked_at", "silent_at"), "timestamptz"),
    "silent_days": "int",
    **dict.fromkeys(("furthest", "silent_type"), "text"),
}
_ROW = dict.fromkeys(_KEY, "text") | _LEARNED
_UPSERT_INVITATIONS = (
    f"insert into invitations ({', '.join(_ROW)}) select * from unnest("
    + ", ".join(f"cast(:{name} as {kind}[])" for name, kind in _ROW.items())
    + f") on conflict ({', '.join(_KEY)}) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _LEARNED)
)


async def invitations_by_key(tx: ReadTx, keys: Iterable[InvitationKey]) -> dict[InvitationKey, dict[str, Any]]:
    """The invitations that are there, as rows."""
    columns = list(zip(*sorted(set(keys)), strict=True))
    rows = await tx.all(
        f"select {', '.join(_ROW)} from invitations where ({', '.join(_KEY)}) in (select * from unnest("
        "cast(:accounts as text[]), cast(:people as text[]), cast(:invitations as text[])))",
        accounts=list(columns[0]),
        people=list(columns[1]),
        invitations=list(columns[2]),
    )
    return {(row["account_id"], row["stakeholder_id"], row["invitation_id"]): dict(row) for row in rows}


async def save_invitations(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write invitations as rows."""
    if rows:
        await tx.execute(_UPSERT_INVITATIONS, **{name: [row.get(name) for row in rows] for name in _ROW})


async def forget_invitations(tx: WriteTx, account_id: str, stakeholder_id: str, until: datetime) -> None:
    """Drop a person's invitations of which something was recorded, or happened, at or before `until`."""
    await tx.execute(
        "delete from invitations where account_id = :account_id and stakeholder_id = :stakeholder_id"
        f" and least(recorded_at, {_STEPS}) <= :until",
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        until=until,
    )


async def add_contract_event(tx: WriteTx, event_id: UUID, account_id: str, kind: str, at: datetime) -> bool:
    """A contract was renewed or lost; says whether that was new."""
    return bool(
        await tx.execute(
            "insert into contract_events (event_id, account_id, kind, at) values (:event_id, :account_id, :kind, :at)"
            " on conflict do nothing",
            event_id=event_id,
            account_id=account_id,
            kind=kind,
            at=at,
        )
    )


async def account_states(tx: ReadTx, account_ids: Iterable[str]) -> dict[str, tuple[AccountState, int]]:
    """What the scorer said of accounts, with the sequence by which the class is known."""
    rows = await tx.all(
        "select account_id, told_class, class_sequence, class_changes, dropped, recovered_sequence from account_scores"
        " where account_id = any(cast(:ids as text[]))",
        ids=sorted(set(account_ids)),
    )
    return {row["account_id"]: (_account_state(row), row["class_sequence"]) for row in rows}


async def save_account_states(tx: WriteTx, account_states: Mapping[str, tuple[AccountState, int]]) -> None:
    """Keep what the scorer said in events; snapshots are kept by `save_scores`."""
    rows = []
    for account_id, (account_state, sequence) in sorted(account_states.items()):
        row: dict[str, Any] = {
            "account_id": account_id,
            "told_class": account_state.account_class,
            "class_sequence": sequence,
            "changes": [_document(change) for change in account_state.changes],
            "dropped": None,
            "drop_sequence": -1,
            "recovered_sequence": account_state.recovered_sequence,
        }
        if account_state.drop is not None:
            row |= {"dropped": _document(account_state.drop), "drop_sequence": account_state.drop.sequence}
        rows.append(row)
    await tx.execute_many(
        "insert into account_scores (account_id, told_class, class_sequence, class_changes, dropped, drop_sequence,"
        " recovered_sequence) values (:account_id, :told_class, :class_sequence, cast(:changes as jsonb),"
        " cast(:dropped as jsonb), :drop_sequence, :recovered_sequence) on conflict (account_id) do update set"
        " told_class = excluded.told_class, class_sequence = excluded.class_sequence,"
        " class_changes = excluded.class_changes, dropped = excluded.dropped, drop_sequence = excluded.drop_sequence,"
        " recovered_sequence = excluded.recovered_sequence",
        rows,
    )


async def read_facts(
    tx: ReadTx, people: Collection[SubjectKey], bare: Facts, everybody_from: int | None
) -> dict[str, Facts]:
    """The facts of the accounts of these people, of these people; `bare` holds what is the same for all. With
    `everybody_from` also of all recent detractors at an account where there are at least so many.
    """
    accounts = sorted({account_id for account_id, _ in people})
    named = {(account_id, person) for account_id, person in people if person is not None}
    if everybody_from is not None:
        named |= await _recent_detractors(tx, accounts, bare.now, everybody_from)
    by_account: dict[str, list[str]] = {}
    for account_id, person in sorted(named):
        by_account.setdefault(account_id, []).append(person)
    directory = await accounts_by_id(tx, accounts)
    stakeholders = await stakeholders_by_id(tx, named)
    persons_by_id = await every_id(tx, named)
    answers = await _answers(tx, persons_by_id)
    invitations = await _invitations(tx, persons_by_id)
    settled_by_account = await settled(tx, {*named, *((account_id, None) for account_id in accounts)})
    rows = {row["account_id"]: row for row in await tx.all(_ABOUT, ids=accounts)}
    facts = {}
    for account_id in accounts:
        row = rows[account_id]
        persons = by_account.get(account_id, ())
        facts[account_id] = replace(
            bare,
            account=directory[account_id],
            people={person: stakeholders[account_id, person] for person in persons},
            answers={person: answers.get((account_id, person), ()) for person in persons},
            invitations=invitations.get(account_id, {}),
            account_state=_account_state(row),
            contract_events=tuple(row["contract_events"] or ()),
            heard_at=row["heard_at"],
            known_since=row["known_since"],
            first_recorded_at=row["first_recorded_at"],
            settled=frozenset(settled_by_account.get(account_id, ())),
        )
    return facts


_ABOUT = """
    select wanted.account_id, w.known_since, s.told_class, s.dropped,
        coalesce(s.class_changes, '[]') as class_changes, coalesce(s.recovered_sequence, -1) as recovered_sequence,
        (select min(recorded_at) from responses r where r.account_id = wanted.account_id) as first_recorded_at,
        (select array_agg(c.at order by c.at) from contract_events c where c.account_id = wanted.account_id)
            as contract_events,
        case when a.renewal_on is not null then (
            select max(cast(r.live ->> 'answered_at' as timestamptz)) from responses r
            left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id
            join stakeholders p on p.account_id = r.account_id
                and p.stakeholder_id = coalesce(l.stakeholder_id, r.stakeholder_id)
            where r.account_id = wanted.account_id and p.type = 'decision_maker' and not r.withdrawn
                and not coalesce(cast(r.live ->> 'test' as boolean), false)) end as heard_at
    from unnest(cast(:ids as text[])) as wanted (account_id)
    left join accounts a using (account_id) left join account_watches w using (account_id)
    left join account_scores s using (account_id)
"""


async def _recent_detractors(tx: ReadTx, accounts: list[str], now: datetime, least: int) -> set[tuple[str, str]]:
    """The people who gave a detractor's score lately, of accounts with at least `least` such people."""
    rows = await tx.all(
        "select r.account_id, array_agg(distinct coalesce(l.stakeholder_id, r.stakeholder_id)) as people"
        " from responses r left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id"
        " where r.account_id = any(cast(:ids as text[])) and r.recorded_at > :since and not withdrawn"
        " and live ->> 'survey_type' = 'nps' and cast(live ->> 'score' as int) <= 6 group by r.account_id"
        " having count(distinct coalesce(l.stakeholder_id, r.stakeholder_id)) >= :least",
        ids=accounts,
        since=now - FRESH - timedelta(days=1),
        least=least,
    )
    people: set[tuple[str, str]] = set()
    for row in rows:
        people.update((row["account_id"], person) for person in row["people"])
    return people


async def _answers(tx: ReadTx, people: Mapping[PersonKey, str]) -> dict[PersonKey, list[StoredAnswer]]:
    if not people:
        return {}
    rows = await tx.all(
        f"select {COLUMNS} from responses where (account_id, stakeholder_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:people as text[])))",
        **people_binds(people),
    )
    answers: dict[PersonKey, list[StoredAnswer]] = {}
    for row in rows:
        person = people[row["account_id"], row["stakeholder_id"]]
        answers.setdefault((row["account_id"], person), []).append(stored_answer_of(row).of(person))
    return answers


async def _invitations(tx: ReadTx, people: Mapping[PersonKey, str]) -> dict[str, dict[str, list[Invitation]]]:
    if not people:
        return {}
    rows = await tx.all(
        "select account_id, stakeholder_id, invitation_id, channel, sent_at, delivered_at, opened_at, started_at,"
        " bounced_at, unsubscribed_at, withdrawn_at, bounce_recorded_at, asked_at, silent_at, silent_days, furthest,"
        " silent_type from invitations where (account_id, stakeholder_id) in"
        " (select * from unnest(cast(:accounts as text[]), cast(:people as text[])))",
        **people_binds(people),
    )
    united: dict[InvitationKey, dict[str, Any]] = {}
    for row in rows:
        person = people[row["account_id"], row["stakeholder_id"]]
        known = united.setdefault((row["account_id"], person, row["invitation_id"]), {})
        _learn(known, row)
    invitations: dict[str, dict[str, list[Invitation]]] = {}
    for (account_id, person, _), known in united.items():
        invitations.setdefault(account_id, {}).setdefault(person, []).append(_invitation(known))
    return invitations


def _learn(known: dict[str, Any], row: RowMapping) -> None:
    """What one row more says of an invitation: of two values, by two ids of the person, the smaller."""
    for name, value in row.items():
        if known.get(name) is None or (value is not None and value < known[name]):
            known[name] = value


def _invitation(row: Mapping[str, Any]) -> Invitation:
    silence = None
    if row["silent_at"] is not None:
        silence = Silence(row["silent_at"], row["silent_days"], row["furthest"], row["silent_type"])
    return Invitation(
        invitation_id=row["invitation_id"],
        channel=row["channel"],
        moments={step: at for step in MOMENTS if (at := row[f"{step}_at"]) is not None},
        asked_at=row["asked_at"],
        bounce_recorded_at=row["bounce_recorded_at"],
        silence=silence,
    )


def _account_state(row: RowMapping) -> AccountState:
    drop = None
    if row["dropped"] is not None:
        drop = Drop(**_read(row["dropped"]))
    changes = tuple(ClassChange(**_read(change)) for change in row["class_changes"])
    return AccountState(row["told_class"], changes, drop, row["recovered_sequence"])


def _document(event: ClassChange | Drop) -> dict[str, Any]:
    return asdict(event) | {"at": event.at.isoformat()}


def _read(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"at": datetime.fromisoformat(document["at"])}

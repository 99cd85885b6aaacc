"""The facts of accounts, read whole for the accounts to evaluate."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from services.alerting.domain.answers import StoredAnswer
from services.alerting.domain.arrangement import OccasionKey
from services.alerting.domain.people import FRESH, PersonKey, Stakeholder, themselves
from services.alerting.domain.rule_facts import Facts, Invitation, Silence
from services.alerting.store.accounts import ACCOUNT, STAKEHOLDER, account_of, stakeholder_of
from services.alerting.store.answers import COLUMNS, stored_answer_of
from services.alerting.store.facts import MOMENTS, InvitationKey, account_state_of
from shared.db.sql import BOUND_PEOPLE, people_binds
from shared.db.transaction import ReadTx


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """The facts of an account without those of its people; `detractors` gave a detractor's score lately."""

    facts: Facts
    detractors: frozenset[str]
    has_tasks: bool


async def read_accounts(tx: ReadTx, account_ids: Collection[str], bare: Facts) -> dict[str, KnownAccount]:
    """The facts of the accounts without those of their people; `bare` holds what is the same for all."""
    since = bare.now - FRESH - timedelta(days=1)
    accounts = {}
    for row in await tx.all(_ACCOUNTS, ids=sorted(account_ids), since=since):
        facts = replace(
            bare,
            account=account_of(row),
            account_state=account_state_of(row),
            contract_events=tuple(row["contract_events"] or ()),
            heard_at=row["heard_at"],
            known_since=row["known_since"],
            first_recorded_at=row["first_recorded_at"],
        )
        accounts[row["account_id"]] = KnownAccount(facts, frozenset(row["detractors"]), row["has_tasks"])
    return accounts


async def with_people(tx: ReadTx, accounts: Iterable[Facts], people: Iterable[PersonKey]) -> dict[str, Facts]:
    """The facts of accounts with those of these people, by account."""
    facts = {of_account.account.account_id: of_account for of_account in accounts}
    persons = {account_id: _OfPeople() for account_id in facts}
    persons_by_id: dict[PersonKey, str] = {}
    rows = await tx.all(_PEOPLE, **people_binds({*people, *themselves(facts)}))
    for row in rows:
        account_id, person = row["account_id"], row["stakeholder_id"] or None
        found = persons[account_id]
        found.settled += [(kind, person, occasion) for kind, occasion in row["settled"] or ()]
        if person is not None:
            found.people[person] = stakeholder_of(row)
            found.answers[person] = []
            for its_id in (person, *row["aliases"]):
                persons_by_id[account_id, its_id] = person
    await _read_answers(tx, persons_by_id, persons)
    await _read_invitations(tx, persons_by_id, persons)
    for account_id, found in persons.items():
        facts[account_id] = replace(
            facts[account_id],
            people=found.people,
            answers=found.answers,
            invitations=found.invitations,
            settled=frozenset(found.settled),
        )
    return facts


@dataclass(slots=True)
class _OfPeople:
    """What is read of the people of an account, by person."""

    people: dict[str, Stakeholder] = field(default_factory=dict)
    answers: dict[str, list[StoredAnswer]] = field(default_factory=dict)
    invitations: dict[str, list[Invitation]] = field(default_factory=dict)
    settled: list[OccasionKey] = field(default_factory=list)


_ACCOUNTS = f"""
    select {ACCOUNT}, w.known_since, s.told_class, s.dropped,
        coalesce(s.class_changes, '[]') as class_changes, coalesce(s.recovered_sequence, -1) as recovered_sequence,
        exists (select from tasks t where t.account_id = wanted.account_id) as has_tasks,
        (select min(recorded_at) from responses r where r.account_id = wanted.account_id) as first_recorded_at,
        (select array_agg(c.at order by c.at) from contract_events c where c.account_id = wanted.account_id)
            as contract_events,
        case when a.renewal_on is not null then (
            select max(r.answered_at) from responses r
            left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id
            join stakeholders p on p.account_id = r.account_id
                and p.stakeholder_id = coalesce(l.stakeholder_id, r.stakeholder_id)
            where r.account_id = wanted.account_id and p.type = 'decision_maker' and not r.withdrawn
                and not r.test) end as heard_at,
        array(select distinct coalesce(l.stakeholder_id, r.stakeholder_id) from responses r
            left join aliases l on l.account_id = r.account_id and l.alias_id = r.stakeholder_id
            where r.account_id = wanted.account_id and r.recorded_at > :since and not r.withdrawn
                and r.survey_type = 'nps' and r.score <= 6) as detractors
    from unnest(cast(:ids as text[])) as wanted (account_id)
    left join accounts a using (account_id) left join account_watches w using (account_id)
    left join account_scores s using (account_id)
"""
_PEOPLE = f"""
    select {STAKEHOLDER},
        array(select alias_id from aliases l where l.account_id = wanted.account_id
            and l.stakeholder_id = wanted.stakeholder_id) as aliases,
        (select jsonb_agg(jsonb_build_array(o.kind, o.occasion)) from task_occasions o join tasks t using (follow_up_id)
            where o.settled and t.state = 'closed' and o.account_id = wanted.account_id
                and o.stakeholder_id = wanted.stakeholder_id) as settled
    from unnest(cast(:accounts as text[]), cast(:people as text[])) as wanted (account_id, stakeholder_id)
    left join stakeholders s using (account_id, stakeholder_id)
"""
"""People with their further ids, and the occasions of theirs that people have settled: those of follow-ups that people
closed and nobody opened again. A row without a person is about the account itself."""


async def _read_answers(tx: ReadTx, people: Mapping[PersonKey, str], persons: Mapping[str, _OfPeople]) -> None:
    """Add the answers of people, by any of their ids."""
    if not people:
        return
    rows = await tx.all(f"select {COLUMNS} from responses where {_OF_PEOPLE}", **people_binds(people))
    for row in rows:
        person = people[row["account_id"], row["stakeholder_id"]]
        persons[row["account_id"]].answers[person].append(stored_answer_of(row).of(person))


async def _read_invitations(tx: ReadTx, people: Mapping[PersonKey, str], persons: Mapping[str, _OfPeople]) -> None:
    """Add the invitations of people, by any of their ids."""
    if not people:
        return
    rows = await tx.all(f"select {_INVITATION} from invitations where {_OF_PEOPLE}", **people_binds(people))
    united: dict[InvitationKey, dict[str, Any]] = {}
    for row in rows:
        person = people[row["account_id"], row["stakeholder_id"]]
        known = united.setdefault((row["account_id"], person, row["invitation_id"]), {})
        _learn(known, row)
    for (account_id, person, _), known in united.items():
        persons[account_id].invitations.setdefault(person, []).append(_invitation(known))


_INVITATION = (
    "account_id, stakeholder_id, invitation_id, channel, sent_at, delivered_at, opened_at, started_at, bounced_at,"
    " unsubscribed_at, withdrawn_at, bounce_recorded_at, asked_at, silent_at, silent_days, furthest, silent_type"
)
_OF_PEOPLE = f"(account_id, stakeholder_id) in {BOUND_PEOPLE}"


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

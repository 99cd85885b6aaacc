"""People as candidates for an ask: the directory beside what is known of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from services.outreach.domain.eligibility import Candidate
from shared.db.erasures import visible
from shared.db.sql import people_binds
from shared.db.transaction import ReadTx, as_columns

PersonKey = tuple[str, str]
"""account_id, stakeholder_id."""
# Each id of a person, as the sources may have given it.
_IDS = """
    people as (select distinct account_id, stakeholder_id
        from unnest(cast(:accounts as text[]), cast(:people as text[])) as g(account_id, stakeholder_id)),
    ids as (select account_id, stakeholder_id as person, stakeholder_id as id from people
        union select a.account_id, a.stakeholder_id, a.alias_id from aliases a
        join people p on p.account_id = a.account_id and p.stakeholder_id = a.stakeholder_id)
"""
CANDIDATES = f"""
    with {_IDS},
    asked as (select ids.account_id, ids.person, max(c.last_asked_at) as asked_at,
            max(c.relationship_asked_at) as relationship_asked_at,
            max(c.transactional_asked_at) as transactional_asked_at,
            max(c.relationship_answered_at) as relationship_answered_at,
            max(c.transactional_answered_at) as transactional_answered_at,
            max(c.bounced_at) as bounced_at, max(c.soft_bounced_at) as soft_bounced_at,
            max(c.unsubscribed_at) as unsubscribed_at
        from ids join contacts c on c.account_id = ids.account_id and c.stakeholder_id = ids.id group by 1, 2),
    answered as (select ids.account_id, ids.person,
            max(r.answered_at) filter (where r.nps_kind = 'relationship') as relationship_answered_at,
            max(r.answered_at) filter (where r.nps_kind <> 'relationship') as transactional_answered_at
        from ids join answers r on r.account_id = ids.account_id and r.stakeholder_id = ids.id
        where r.recorded_at is not null and not r.test and not r.withdrawn and not r.undone group by 1, 2)
    select p.account_id, p.stakeholder_id, s.name, s.email, s.type,
        coalesce(s.record ->> 'language', k.record ->> 'language') as language,
        coalesce(s.record ->> 'mail_permission', 'unknown') as mail_permission,
        k.record -> 'do_not_ask' ->> 'reason' as do_not_ask,
        cast(k.record -> 'do_not_ask' ->> 'until' as date) as do_not_ask_until,
        cast(s.record ->> 'email_changed_at' as timestamptz) as email_changed_at,
        coalesce(not s.removed and not k.removed and (k.record ->> 'closed_on' is null
            or cast(k.record ->> 'closed_on' as date) > :today) and {visible("p")}, false) as listed,
        greatest(q.asked_at, (select max(a.created_at) from asks a where a.account_id = p.account_id
            and a.stakeholder_id = p.stakeholder_id and a.origin = 'link' and a.state = 'waiting')) as asked_at,
        q.relationship_asked_at, q.transactional_asked_at,
        greatest(q.relationship_answered_at, w.relationship_answered_at) as relationship_answered_at,
        greatest(q.transactional_answered_at, w.transactional_answered_at) as transactional_answered_at,
        q.bounced_at, q.soft_bounced_at, q.unsubscribed_at
    from people p
    left join stakeholders s on s.account_id = p.account_id and s.stakeholder_id = p.stakeholder_id
    left join accounts k on k.account_id = p.account_id
    left join asked q on q.account_id = p.account_id and q.person = p.stakeholder_id
    left join answered w on w.account_id = p.account_id and w.person = p.stakeholder_id
"""
ASKED_BY_ADDRESS = """
    select lower(s.email) as address, max(c.last_asked_at) as asked_at
    from stakeholders s
    cross join lateral (select s.stakeholder_id as id union all select a.alias_id from aliases a
        where a.account_id = s.account_id and a.stakeholder_id = s.stakeholder_id) i
    join contacts c on c.account_id = s.account_id and c.stakeholder_id = i.id
    where lower(s.email) = any(cast(:addresses as text[])) and c.last_asked_at > :since group by 1
"""
BY_ADDRESS = """
    select s.account_id, lower(s.email) as address, min(s.stakeholder_id) as stakeholder_id from stakeholders s
    where not s.removed and (s.account_id, lower(s.email)) in
        (select * from unnest(cast(:accounts as text[]), cast(:addresses as text[])))
    group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which people of the directory: None is everybody. All that are given must hold."""

    account_id: str | None = None
    type: str | None = None
    tier: str | None = None
    industry: str | None = None
    region: str | None = None
    owner: str | None = None
    job_level: str | None = None
    job_function: str | None = None
    location: str | None = None
    attributes: Mapping[str, str] | None = None


CONDITIONS: Mapping[str, str] = {
    "account_id": "s.account_id = :account_id",
    "type": "s.type = :type",
    "tier": "k.tier = :tier",
    "industry": "k.industry = :industry",
    "region": "k.region = :region",
    "owner": "k.owner_email = :owner",
    "job_level": "s.job_level = :job_level",
    "job_function": "s.record ->> 'job_function' = :job_function",
    "location": "s.record ->> 'location' = :location",
    "attributes": "not exists (select from jsonb_each_text(cast(:attributes as jsonb)) w where coalesce("
    "s.record -> 'attributes' ->> w.key, k.record -> 'attributes' ->> w.key) is distinct from w.value)",
}


async def chosen_people(tx: ReadTx, chosen: Chosen, owner_email: str | None, most: int) -> list[PersonKey]:
    """The first `most` people of the directory, by account and id."""
    binds = {name: value for name, value in asdict(chosen).items() if value is not None}
    where = [
        "not s.removed",
        "not k.removed",
        "(cast(:owner_email as text) is null or k.owner_email = :owner_email)",
        visible("s"),
    ]
    where += [CONDITIONS[name] for name in binds]
    rows = await tx.rows(
        "select s.account_id, s.stakeholder_id from stakeholders s join accounts k using (account_id)"
        f" where {' and '.join(where)} order by 1, 2 limit :most",
        owner_email=owner_email,
        most=most,
        **binds,
    )
    return [(account_id, stakeholder_id) for account_id, stakeholder_id in rows]


async def by_address(tx: ReadTx, addresses: Collection[PersonKey]) -> dict[PersonKey, str]:
    """(account_id, address in lower case) -> who has it; of several the first by id."""
    if not addresses:
        return {}
    accounts, texts = zip(*sorted(addresses), strict=True)
    rows = await tx.rows(BY_ADDRESS, accounts=list(accounts), addresses=list(texts))
    return {(account_id, address): stakeholder_id for account_id, address, stakeholder_id in rows}


async def seen_accounts(tx: ReadTx, account_ids: Collection[str], owner_email: str) -> set[str]:
    """Those of the accounts that are the owner's."""
    found = await tx.column(
        "select account_id from accounts where owner_email = :owner_email and account_id = any(cast(:ids as text[]))",
        owner_email=owner_email,
        ids=sorted(account_ids),
    )
    return set(found)


async def known_account(tx: ReadTx, account_id: str, owner_email: str | None) -> bool:
    """Whether the directory has the account, and the caller sees it."""
    found = await tx.scalar(
        "select 1 from accounts where account_id = :account_id and not removed"
        " and (cast(:owner_email as text) is null or owner_email = :owner_email)",
        account_id=account_id,
        owner_email=owner_email,
    )
    return found is not None


async def names_of_accounts(tx: ReadTx, account_ids: Collection[str]) -> dict[str, str]:
    """Account -> its name, where it has one."""
    rows = await tx.rows(
        "select account_id, name from accounts where account_id = any(cast(:ids as text[])) and name is not null",
        ids=sorted(account_ids),
    )
    return {account_id: name for account_id, name in rows}


async def account_names(tx: ReadTx, account_id: str) -> tuple[str | None, str | None]:
    """The names of an account and of its owner."""
    rows = await tx.rows("select name, owner_name from accounts where account_id = :account_id", account_id=account_id)
    for name, owner_name in rows:
        return name, owner_name
    return None, None


async def candidates(tx: ReadTx, people: Collection[PersonKey], today: date) -> dict[PersonKey, Candidate]:
    """These people, by their own ids, with what is known of them; objections and what the address was asked are
    not among it."""
    if not people:
        return {}
    rows = await tx.all(CANDIDATES, **people_binds(people), today=today)
    return {(row["account_id"], row["stakeholder_id"]): Candidate(**row) for row in rows}


async def asked_by_address(tx: ReadTx, addresses: Collection[str], since: datetime) -> dict[str, datetime]:
    """Address in lower case -> when anybody who has it was asked last, at any account; those after `since` only."""
    if not addresses:
        return {}
    rows = await tx.rows(ASKED_BY_ADDRESS, addresses=sorted(addresses), since=since)
    return {address: asked_at for address, asked_at in rows}


async def asked_by_hash(tx: ReadTx, hashes: Collection[bytes], since: datetime) -> dict[bytes, datetime]:
    """Hash of an address -> when we asked it last, also where it is no longer anybody's; those after `since` only. A
    link that waits for its mailer counts from when it was made."""
    if not hashes:
        return {}
    rows = await tx.rows(
        "select address_hash, max(coalesce(sent_at, created_at)) from asks"
        " where address_hash = any(cast(:hashes as bytea[])) and (sent_at > :since"
        " or (origin = 'link' and state = 'waiting' and created_at > :since)) group by 1",
        hashes=sorted(hashes),
        since=since,
    )
    return {bytes(digest): asked_at for digest, asked_at in rows}


async def addresses_of(tx: ReadTx, people: Sequence[PersonKey]) -> dict[PersonKey, str]:
    """The addresses of these people, by any of their ids; those without one are left out."""
    if not people:
        return {}
    rows = await tx.rows(
        "select g.account_id, g.id, s.email from unnest(cast(:accounts as text[]), cast(:ids as text[]))"
        " as g(account_id, id) left join aliases a on a.account_id = g.account_id and a.alias_id = g.id"
        " join stakeholders s on s.account_id = g.account_id"
        " and s.stakeholder_id = coalesce(a.stakeholder_id, g.id) where s.email is not null",
        **as_columns({"accounts": account_id, "ids": given} for account_id, given in people),
    )
    found: dict[PersonKey, Any] = {}
    for account_id, given, email in rows:
        found[account_id, given] = email
    return found

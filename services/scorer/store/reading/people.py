"""People by their state: which ones, in which order, and what their states are made of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.scorer.domain.answers import Answer
from services.scorer.domain.categories import HIGHEST_SCORE, LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.questions import Filters
from services.scorer.domain.states import DECISION_MAKER, Facts, KindOfAnswer, SilentAfter
from services.scorer.store.reading.account import commented, invitations_from
from services.scorer.store.reading.keyset import Order, contains
from services.scorer.store.reading.latest import accounts_with_stale_pairs, last_answers
from services.scorer.store.reading.pool import LIVE, conditions, parameters
from shared.db.erasures import visible
from shared.db.sql import and_given
from shared.db.transaction import ReadTx, as_columns

PersonKey = tuple[str, str]
"""account_id, stakeholder_id."""
SORTS: Final = {
    "name": ("lower(s.name)", "text"),
    "score": ("l.score", "int"),
    "answered_at": ("answered.answered_at", "timestamptz"),
}
SCORES: Final = {
    "promoter": (LOWEST_PROMOTER, HIGHEST_SCORE),
    "passive": (LOWEST_PASSIVE, LOWEST_PROMOTER - 1),
    "detractor": (0, LOWEST_PASSIVE - 1),
}
_COLUMNS = (
    "e.account_id, e.stakeholder_id, a.name as account_name, s.name, s.email, s.type, s.job_title, s.job_level,"
    " s.record, s.removed"
)
_PEOPLE = "unnest(cast(:accounts as text[]), cast(:stakeholders as text[])) as k(account_id, stakeholder_id)"


@dataclass(frozen=True, slots=True)
class PeopleQuestion:
    """Which people, of one account or of all: by attributes, by the category of their latest NPS answer, by
    silence, by a text in name, address or id, by when that answer was given, by whether anything of them came in since.
    `current` says that as_of is now."""

    filters: Filters
    owner_email: str | None
    as_of: datetime
    silent_after: SilentAfter
    sort: str
    descending: bool
    limit: int
    current: bool = False
    account_id: str | None = None
    stakeholder_id: str | None = None
    category: str | None = None
    silent: bool | None = None
    q: str | None = None
    email: str | None = None
    answered_since: datetime | None = None
    updated_since: datetime | None = None
    after: Sequence[Any] | None = None


async def people_page(tx: ReadTx, asked: PeopleQuestion) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 rows with the columns of the directory, the ids and sort_value, in their order:
    everybody in the directory, and everybody who was ever asked or ever answered."""
    order = Order(*SORTS[asked.sort], asked.descending, ("e.account_id", "e.stakeholder_id"))
    low, high = SCORES.get(asked.category or "", (0, 0))
    from_pairs = asked.current and asked.account_id is None
    stale_pairs: Sequence[str] = ()
    if from_pairs:
        stale_pairs = await accounts_with_stale_pairs(tx, asked.as_of)
    rows = await tx.all(
        f"{_everybody(asked, from_pairs=from_pairs)}"
        f" select {_COLUMNS}, {order.expression} as sort_value from everybody e"
        " left join accounts a using (account_id) left join stakeholders s using (account_id, stakeholder_id)"
        " left join answered using (account_id, stakeholder_id) left join latest l using (account_id, stakeholder_id)"
        f" where {visible('e')}{_conditions(asked)}{order.after(asked.after)}{order.by()} limit :rows",
        **dict(parameters(asked.filters, asked.owner_email))
        | order.bound(asked.after)
        | {
            "as_of": asked.as_of,
            "account_id": asked.account_id,
            "stakeholder_id": asked.stakeholder_id,
            "stale_pairs": list(stale_pairs),
            "answered_since": asked.answered_since,
            "updated_since": asked.updated_since,
            "rows": asked.limit + 1,
            "email": asked.email,
            "pattern": contains(asked.q or ""),
            "low": low,
            "high": high,
            "silent_before": asked.as_of - asked.silent_after.of(None),
            "silent_before_deciders": asked.as_of - asked.silent_after.of(DECISION_MAKER),
        },
    )
    return [dict(row) for row in rows]


async def people_facts(tx: ReadTx, people: Sequence[PersonKey], as_of: datetime) -> dict[PersonKey, Facts]:
    """What the states of these people are made of, up to the moment."""
    if not people:
        return {}
    bound = as_columns({"accounts": person[0], "stakeholders": person[1]} for person in people) | {"as_of": as_of}
    answers = await tx.all(
        "select k.account_id, k.stakeholder_id, r.response_id, r.answered_at, r.score, r.survey_type, r.nps_kind"
        f" from {_PEOPLE} join responses r using (account_id, stakeholder_id)"
        f' where {LIVE} and r.answered_at <= :as_of order by r.answered_at, r.response_id collate "C"',
        **bound,
    )
    invitations = await tx.all(
        "select k.account_id, i.invitation_id, i.given_stakeholder_id, k.stakeholder_id, i.sent_at, i.delivered_at,"
        " i.opened_at, i.started_at, i.bounced_at, i.withdrawn_at, r.answered_at,"
        f" {commented('r')} as commented, r.follow_up_requested"
        f" from {_PEOPLE} join invited_people i using (account_id, stakeholder_id)"
        f" left join responses r on {LIVE} and r.account_id = k.account_id and r.stakeholder_id = k.stakeholder_id"
        " and r.invitation_id = i.invitation_id and r.answered_at <= :as_of"
        " where i.sent_at <= :as_of order by i.sent_at",
        **bound,
    )
    said, asked = _by_person(answers), _by_person(invitations)
    return {person: _facts(said.get(person, ()), asked.get(person, ())) for person in people}


async def names_of(
    tx: ReadTx, wanted: Collection[tuple[str, str | None]], owner_email: str | None
) -> list[dict[str, Any]]:
    """The names of people, and of accounts where no person is named; only of this owner's accounts, where one is
    given."""
    if not wanted:
        return []
    order = sorted(wanted, key=lambda person: (person[0], person[1] or ""))
    mine = ""
    if owner_email is not None:
        mine = " and a.owner_email = :owner_email"
    rows = await tx.all(
        f"select k.account_id, k.stakeholder_id, a.name as account_name, s.name from {_PEOPLE}"
        " left join accounts a using (account_id)"
        " left join aliases l on l.account_id = k.account_id and l.alias_id = k.stakeholder_id"
        " left join stakeholders s on s.account_id = k.account_id"
        " and s.stakeholder_id = coalesce(l.stakeholder_id, k.stakeholder_id)"
        f" where {visible('k')}{mine}",
        **as_columns({"accounts": person[0], "stakeholders": person[1]} for person in order),
        owner_email=owner_email,
    )
    return [dict(row) for row in rows]


async def names_of_owners(tx: ReadTx, emails: Collection[str], owner_email: str | None) -> list[dict[str, Any]]:
    """The names of owners and sponsors of accounts by their e-mail addresses; of this owner's accounts alone, where one
    is given."""
    mine = ""
    if owner_email is not None:
        mine = " and owner_email = :owner_email"
    rows = await tx.all(
        "select c.email, min(c.name) as name from accounts"
        " cross join lateral (values (owner_email, owner_name), (sponsor_email, sponsor_name)) c (email, name)"
        f" where c.email = any(cast(:emails as text[])){mine} group by c.email",
        emails=sorted(set(emails)),
        owner_email=owner_email,
    )
    return [dict(row) for row in rows]


def _by_person(rows: Sequence[Any]) -> dict[PersonKey, list[Any]]:
    found: dict[PersonKey, list[Any]] = {}
    for row in rows:
        found.setdefault((row["account_id"], row["stakeholder_id"]), []).append(row)
    return found


def _facts(answers: Sequence[Any], invitations: Sequence[Any]) -> Facts:
    nps, last_answered_at = [], None
    for row in answers:
        last_answered_at = row["answered_at"]
        if row["survey_type"] == "nps":
            answer = Answer(row["response_id"], row["stakeholder_id"], row["answered_at"], row["score"])
            nps.append(KindOfAnswer(answer, row["nps_kind"]))
    return Facts(nps, last_answered_at, invitations_from(invitations))


def _everybody(asked: PeopleQuestion, *, from_pairs: bool) -> str:
    only = and_given(
        {"account_id = :account_id": asked.account_id, "stakeholder_id = :stakeholder_id": asked.stakeholder_id}
    )
    person = "account_id, stakeholder_id"
    everybody = _of_all(person, only)
    if asked.category is not None:
        # Whoever has a category has answered.
        everybody = f"select {person} from latest"
    return f"""with said as ({last_answers(current=from_pairs, only=only)}),
    answered as (select {person}, max(answered_at) as answered_at from said group by {person}),
    latest as (
        select distinct on ({person}) {person}, score, answered_at from said where survey_type = 'nps'
        order by {person}, answered_at desc, response_id collate "C" desc
    ),
    sent as (select * from invited_people where sent_at <= :as_of{only}),
    silent as ({_SILENT}),
    everybody as ({everybody})"""


def _of_all(person: str, only: str) -> str:
    """The directory, and of those who were ever asked or ever answered the few that are not in it."""
    others = (
        f"select {person} from {{0}} k where not exists (select from stakeholders s where not s.removed"
        " and s.account_id = k.account_id and s.stakeholder_id = k.stakeholder_id)"
    )
    return (
        f"select {person} from stakeholders where not removed{only}"
        f" union all ({others.format('answered')} union {others.format('sent')})"
    )


def _conditions(asked: PeopleQuestion) -> str:
    text = conditions(asked.filters, asked.owner_email, of=())
    if asked.category is not None:
        text += " and l.score between :low and :high"
    if asked.q is not None:
        text += " and (s.name ilike :pattern or s.email ilike :pattern or e.stakeholder_id ilike :pattern)"
    if asked.email is not None:
        text += f" and (e.account_id, e.stakeholder_id) in ({_WITH_ADDRESS})"
    if asked.answered_since is not None:
        text += " and l.answered_at >= :answered_since"
    if asked.updated_since is not None:
        text += f" and (e.account_id, e.stakeholder_id) in ({_TOUCHED})"
    if asked.silent is True:
        text += " and (e.account_id, e.stakeholder_id) in (select * from silent)"
    elif asked.silent is False:
        text += " and not (e.account_id, e.stakeholder_id) in (select * from silent)"
    return text


_TOUCHED: Final = """
    select account_id, stakeholder_id from responses where updated_at > :updated_since
    union all select account_id, stakeholder_id from stakeholders where recorded_at > :updated_since
    union all select account_id, stakeholder_id from invited_people where recorded_at > :updated_since
"""
_WITH_ADDRESS: Final = """
    select account_id, stakeholder_id from stakeholders where stakeholder_id = :email or lower(email) = :email
    union all select account_id, stakeholder_id from aliases where alias_id = :email
    union all select account_id, stakeholder_id from responses where email = :email and not erased
    union all select account_id, stakeholder_id from invited_people where given_stakeholder_id = :email
"""
"""By whichever way an address leads to somebody. Whoever looks for it means to erase it: all is looked through."""
_SILENT: Final = f"""
    select i.account_id, i.stakeholder_id from sent i
    left join stakeholders s using (account_id, stakeholder_id) left join answered using (account_id, stakeholder_id)
    where i.sent_at <= case when s.type = '{DECISION_MAKER}' then cast(:silent_before_deciders as timestamptz)
        else cast(:silent_before as timestamptz) end
    and (answered.answered_at is null or answered.answered_at < i.sent_at)
    and not exists (
        select from responses r where {LIVE} and r.account_id = i.account_id and r.stakeholder_id = i.stakeholder_id
        and r.invitation_id = i.invitation_id and r.answered_at <= :as_of
    )
"""
"""As `is_silent` of the domain decides for one person."""

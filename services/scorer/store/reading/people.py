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
from services.scorer.store.reading.latest import last_answers, untold_accounts
from services.scorer.store.reading.pool import LIVE, conditions, parameters
from shared.db.erasures import visible
from shared.db.transaction import ReadTx

PersonKey = tuple[str, str]
"""account_id, stakeholder_id."""
SORTS: Final = {
    "name": ("lower(s.name)", "text"),
    "score": ("l.score", "int"),
    "answered_at": ("h.answered_at", "timestamptz"),
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
_KEYS = "unnest(cast(:accounts as text[]), cast(:stakeholders as text[])) as k(account_id, stakeholder_id)"


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
    answered_since: datetime | None = None
    updated_since: datetime | None = None
    after: Sequence[Any] | None = None


async def people_page(tx: ReadTx, asked: PeopleQuestion) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 rows with the columns of the directory, the ids and sort_value, in their order:
    everybody in the directory and everybody ever asked or heard."""
    order = Order(*SORTS[asked.sort], asked.descending, ("e.account_id", "e.stakeholder_id"))
    low, high = SCORES.get(asked.category or "", (0, 0))
    from_pairs = asked.current and asked.account_id is None
    untold = await untold_accounts(tx, asked.as_of) if from_pairs else []
    rows = await tx.all(
        f"{_everybody(asked, from_pairs=from_pairs)}"
        f" select {_COLUMNS}, {order.expression} as sort_value from everybody e"
        " left join accounts a using (account_id) left join stakeholders s using (account_id, stakeholder_id)"
        " left join heard h using (account_id, stakeholder_id) left join latest l using (account_id, stakeholder_id)"
        f" where {visible('e')}{_conditions(asked)}{order.after(asked.after)}{order.by()} limit :rows",
        **dict(parameters(asked.filters, asked.owner_email))
        | order.bound(asked.after)
        | {
            "as_of": asked.as_of,
            "account_id": asked.account_id,
            "stakeholder_id": asked.stakeholder_id,
            "untold": untold,
            "answered_since": asked.answered_since,
            "updated_since": asked.updated_since,
            "rows": asked.limit + 1,
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
    bound = {
        "accounts": [person[0] for person in people],
        "stakeholders": [person[1] for person in people],
        "as_of": as_of,
    }
    answers = await tx.all(
        "select k.account_id, k.stakeholder_id, r.response_id, r.answered_at, r.score, r.survey_type, r.nps_kind"
        f" from {_KEYS} join responses r using (account_id, stakeholder_id)"
        f' where {LIVE} and r.answered_at <= :as_of order by r.answered_at, r.response_id collate "C"',
        **bound,
    )
    invitations = await tx.all(
        "select k.account_id, i.invitation_id, k.stakeholder_id, i.sent_at, i.delivered_at, i.opened_at, i.started_at,"
        f" i.bounced_at, r.answered_at, {commented('r')} as commented, r.follow_up_requested"
        f" from {_KEYS} join invitations i using (account_id, stakeholder_id)"
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
    order = sorted(wanted, key=lambda one: (one[0], one[1] or ""))
    mine = "" if owner_email is None else " and a.owner_email = :owner_email"
    rows = await tx.all(
        f"select k.account_id, k.stakeholder_id, a.name as account_name, s.name from {_KEYS}"
        " left join accounts a using (account_id) left join stakeholders s using (account_id, stakeholder_id)"
        f" where {visible('k')}{mine}",
        accounts=[person[0] for person in order],
        stakeholders=[person[1] for person in order],
        owner_email=owner_email,
    )
    return [dict(row) for row in rows]


def _by_person(rows: Sequence[Any]) -> dict[PersonKey, list[Any]]:
    found: dict[PersonKey, list[Any]] = {}
    for row in rows:
        found.setdefault((row["account_id"], row["stakeholder_id"]), []).append(row)
    return found


def _facts(answers: Sequence[Any], invitations: Sequence[Any]) -> Facts:
    nps = [
        KindOfAnswer(
            Answer(row["response_id"], row["stakeholder_id"], row["answered_at"], row["score"]), row["nps_kind"]
        )
        for row in answers
        if row["survey_type"] == "nps"
    ]
    last = answers[-1]["answered_at"] if answers else None
    return Facts(nps, last, list(invitations_from(invitations).values()))


def _everybody(asked: PeopleQuestion, *, from_pairs: bool) -> str:
    only = " and account_id = :account_id" if asked.account_id is not None else ""
    only += " and stakeholder_id = :stakeholder_id" if asked.stakeholder_id is not None else ""
    person = "account_id, stakeholder_id"
    return f"""with said as ({last_answers(current=from_pairs, only=only)}),
    heard as (select {person}, max(answered_at) as answered_at from said group by {person}),
    latest as (
        select distinct on ({person}) {person}, score, answered_at from said where survey_type = 'nps'
        order by {person}, answered_at desc, response_id collate "C" desc
    ),
    sent as (select * from invitations where sent_at <= :as_of{only}),
    silent as ({_SILENT}),
    everybody as ({_of_category() if asked.category is not None else _of_all(person, only)})"""


def _of_category() -> str:
    """Whoever has a category was heard."""
    return "select account_id, stakeholder_id from latest"


def _of_all(person: str, only: str) -> str:
    """The directory, and of those ever asked or heard the few that are not in it."""
    others = (
        f"select {person} from {{0}} k where not exists (select from stakeholders s where not s.removed"
        " and s.account_id = k.account_id and s.stakeholder_id = k.stakeholder_id)"
    )
    return (
        f"select {person} from stakeholders where not removed{only}"
        f" union all ({others.format('heard')} union {others.format('sent')})"
    )


def _conditions(asked: PeopleQuestion) -> str:
    text = conditions(asked.filters, asked.owner_email, of=())
    if asked.category is not None:
        text += " and l.score between :low and :high"
    if asked.q is not None:
        text += " and (s.name ilike :pattern or s.email ilike :pattern or e.stakeholder_id ilike :pattern)"
    if asked.answered_since is not None:
        text += " and l.answered_at >= :answered_since"
    if asked.updated_since is not None:
        text += f" and (e.account_id, e.stakeholder_id) in ({_TOUCHED})"
    if asked.silent is not None:
        text += f" and {'' if asked.silent else 'not '}(e.account_id, e.stakeholder_id) in (select * from silent)"
    return text


_TOUCHED: Final = """
    select account_id, stakeholder_id from responses where updated_at > :updated_since
    union all select account_id, stakeholder_id from stakeholders where recorded_at > :updated_since
    union all select account_id, stakeholder_id from invitations where recorded_at > :updated_since
"""
_SILENT: Final = f"""
    select i.account_id, i.stakeholder_id from sent i
    left join stakeholders s using (account_id, stakeholder_id) left join heard h using (account_id, stakeholder_id)
    where i.sent_at <= case when s.type = '{DECISION_MAKER}' then cast(:silent_before_deciders as timestamptz)
        else cast(:silent_before as timestamptz) end
    and (h.answered_at is null or h.answered_at < i.sent_at)
    and not exists (
        select from responses r where {LIVE} and r.account_id = i.account_id and r.stakeholder_id = i.stakeholder_id
        and r.invitation_id = i.invitation_id and r.answered_at <= :as_of
    )
"""
"""As `is_silent` of the domain decides for one person."""

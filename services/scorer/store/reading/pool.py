"""The answers that a question chooses, as pieces of SQL. Everything is bound; only names of this module are
text."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.scorer.domain.categories import LOWEST_PASSIVE, LOWEST_PROMOTER
from services.scorer.domain.questions import OF_ANSWER, Filters
from shared.db.sql import comma_list

LIVE: Final = "not r.withdrawn and not r.erased and not r.test"
"""A response that counts, of `responses r`."""
ORDER: Final = 'r.answered_at, r.response_id collate "C", r.question_id collate "C"'
"""By when people answered, then by ids as Python compares them."""
LATEST_FIRST: Final = 'answered_at desc, response_id collate "C" desc, question_id collate "C" desc'
ACCOUNT_JOIN: Final = " left join accounts a on a.account_id = {0}.account_id"
PERSON_JOIN: Final = (
    " left join stakeholders s on s.account_id = {0}.account_id and s.stakeholder_id = {0}.stakeholder_id"
)

_OWN = comma_list("r.{0}", ("account_id", "stakeholder_id", "answered_at", "response_id", *OF_ANSWER))
_DIRECTORY = {
    "industry": "a.industry",
    "tier": "a.tier",
    "region": "a.region",
    "owner": "a.owner_email",
    "stakeholder_type": "s.type",
}
"""Filters on attributes of the directory, and where they stand."""


def answers_of(survey_type: str) -> str:
    """A row source `r` of live answers to one survey type: the columns a filter or a group may name, the ids,
    score.

    A submission of that type is one answer, and so is each entry of that type among its `answers`.
    """
    own = f"select {_OWN}, '' as question_id, r.score from responses r where {LIVE} and r.survey_type = :survey_type"
    if survey_type == "nps":
        return f"({own}) r"
    entries = (
        f"select {_OWN}, e.question_id, cast(e.value_number as int) as score from response_answers e"
        f" join responses r on r.response_id = e.response_id where {LIVE} and e.type = :survey_type"
    )
    return f"({own} union all {entries}) r"


def net(column: str = "score") -> str:
    """An SQL expression: 1, 0 or −1 for promoter, passive, detractor."""
    return f"case when {column} >= {LOWEST_PROMOTER} then 1 when {column} >= {LOWEST_PASSIVE} then 0 else -1 end"


def conditions(filters: Filters, owner_email: str | None, *, of: Iterable[str] = OF_ANSWER, alias: str = "r") -> str:
    """The filters as SQL that begins with ` and`, or nothing; needs the joins that `joins` gives.

    `of` are the attributes that the rows of `alias` have themselves; filters on others do not apply to them.
    """
    own, text = frozenset(of), ""
    for name in filters.given():
        if name in own:
            text += f" and {alias}.{name} = :{name}"
        elif name in _DIRECTORY:
            text += f" and {_DIRECTORY[name]} = :{name}"
    if owner_email is not None:
        text += " and a.owner_email = :owner_email"
    return text


def joins(filters: Filters, owner_email: str | None, columns: Iterable[str] = (), *, alias: str = "r") -> str:
    """The joins to the directory that the filters and these columns need."""
    needed = {column[:2] for column in columns}
    for name in filters.given():
        if name in _DIRECTORY:
            needed.add(_DIRECTORY[name][:2])
    text = ""
    if "a." in needed or owner_email is not None:
        text += ACCOUNT_JOIN.format(alias)
    if "s." in needed:
        text += PERSON_JOIN.format(alias)
    return text


def parameters(filters: Filters, owner_email: str | None) -> Mapping[str, Any]:
    """The values that `conditions` and `answers_of` bind."""
    return {"survey_type": filters.survey_type, "owner_email": owner_email, **filters.given()}

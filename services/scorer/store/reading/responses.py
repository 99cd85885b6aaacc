"""Responses as they stand now, with their comments and further answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.scorer.domain.questions import Filters
from services.scorer.store.reading.account import commented
from services.scorer.store.reading.keyset import Order
from services.scorer.store.reading.people import SCORES
from services.scorer.store.reading.pool import conditions, joins, parameters
from services.scorer.store.responses import with_answers
from shared.db.directory import of_person
from shared.db.erasures import visible
from shared.db.sql import and_given
from shared.db.transaction import ReadTx

COLUMNS = (
    "r.response_id, r.account_id, r.stakeholder_id, r.given_stakeholder_id, r.survey_type, r.score, r.comment,"
    " r.answered_at, r.recorded_at, r.updated_at, r.nps_kind, r.touchpoint, r.product, r.channel, r.survey_id,"
    " r.invitation_id, r.language, r.follow_up_requested, r.attributes, r.test, r.withdrawn, r.revision"
)
SORTS: Final = {"answered_at": ("r.answered_at", "timestamptz"), "updated_at": ("r.updated_at", "timestamptz")}


@dataclass(frozen=True, slots=True)
class ResponsesQuestion:
    """Which responses; None = all. `since` and `until` are both inclusive, by answered_at. `tests` asks for
    test answers instead of the others; withdrawn ones are in no list."""

    filters: Filters
    owner_email: str | None
    sort: str = "answered_at"
    descending: bool = False
    limit: int | None = None
    survey_type: str | None = None
    account_id: str | None = None
    stakeholder_id: str | None = None
    category: str | None = None
    q: str | None = None
    commented: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    tests: bool = False
    after: Sequence[Any] | None = None


async def responses_page(tx: ReadTx, asked: ResponsesQuestion) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 responses (all without a limit) with their `answers`, in their order."""
    order = Order(*SORTS[asked.sort], asked.descending, ("r.response_id",), required=True)
    limit = ""
    if asked.limit is not None:
        limit = " limit :rows"
    rows = await tx.all(
        f"select {COLUMNS}, {order.expression} as sort_value{_from(asked)}"
        f"{order.after(asked.after)}{order.by()}{limit}",
        **_bound(asked) | order.bound(asked.after) | {"rows": (asked.limit or 0) + 1},
    )
    return await with_answers(tx, rows)


async def responses_after(
    tx: ReadTx, asked: ResponsesQuestion, response_id: str, limit: int
) -> Sequence[dict[str, Any]]:
    """Up to `limit` responses with ids after this one, by id as the database orders them; for walking through all of
    them. The question's own order and limit do not matter."""
    rows = await tx.all(
        f"select {COLUMNS}{_from(asked)} and r.response_id > :after_id order by r.response_id limit :rows",
        **_bound(asked) | {"after_id": response_id, "rows": limit},
    )
    return await with_answers(tx, rows)


def _from(asked: ResponsesQuestion) -> str:
    return (
        f" from responses r{joins(asked.filters, asked.owner_email)}"
        f" where not r.withdrawn and not r.erased and r.test = :tests and {visible('r')}"
        f"{conditions(asked.filters, asked.owner_email)}{_conditions(asked)}"
    )


def _bound(asked: ResponsesQuestion) -> dict[str, Any]:
    low, high = SCORES.get(asked.category or "", (0, 0))
    return dict(parameters(asked.filters, asked.owner_email)) | {
        "tests": asked.tests,
        "of_type": asked.survey_type,
        "account_id": asked.account_id,
        "stakeholder_id": asked.stakeholder_id,
        "low": low,
        "high": high,
        "q": asked.q,
        "commented": asked.commented,
        "since": asked.since,
        "until": asked.until,
        "updated_since": asked.updated_since,
    }


async def response_of(tx: ReadTx, response_id: str, owner_email: str | None) -> dict[str, Any] | None:
    """One response, also a withdrawn or a test one; None when it is not there, erased, or not the caller's to
    see."""
    rows = await tx.all(
        f"select {COLUMNS} from responses r{joins(Filters(), owner_email)}"
        f" where r.response_id = :response_id and not r.erased and {visible('r')}{conditions(Filters(), owner_email)}",
        response_id=response_id,
        owner_email=owner_email,
    )
    return next(iter(await with_answers(tx, rows)), None)


def _conditions(asked: ResponsesQuestion) -> str:
    given = {
        "r.survey_type = :of_type": asked.survey_type,
        "r.account_id = :account_id": asked.account_id,
        of_person(asked.account_id, "r."): asked.stakeholder_id,
        "r.survey_type = 'nps' and r.score between :low and :high": asked.category,
        "r.comment is not null and to_tsvector('simple', r.comment) @@ websearch_to_tsquery('simple', :q)": asked.q,
        f"{commented('r')} = :commented": asked.commented,
        "r.answered_at >= :since": asked.since,
        "r.answered_at <= :until": asked.until,
        "r.updated_at > :updated_since": asked.updated_since,
    }
    return and_given(given)

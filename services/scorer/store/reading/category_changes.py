"""Category changes as the answers stand now: each NPS answer beside the one before it of the same person and
kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.scorer.domain.categories import HIGHEST_SCORE, Category, category_of
from services.scorer.domain.changes import categories_of, change_between_scores
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.keyset import Order
from services.scorer.store.reading.pool import LIVE, joins, net
from shared.db.directory import of_person
from shared.db.erasures import visible
from shared.db.sql import and_given
from shared.db.transaction import ReadTx

_PREVIOUS = f"""
    left join lateral (
        select q.response_id, q.score from (select * from responses r where {LIVE}) q
        where q.account_id = r.account_id and q.stakeholder_id = r.stakeholder_id and q.survey_type = 'nps'
        and q.nps_kind = r.nps_kind
        and (q.answered_at, q.response_id collate "C") < (r.answered_at, r.response_id collate "C")
        order by q.answered_at desc, q.response_id collate "C" desc limit 1
    ) previous on true
"""


SORTS: Final = {"changed_at": ("r.answered_at", "timestamptz")}


@dataclass(frozen=True, slots=True)
class ChangesQuestion:
    """Which changes; None = all. `since` and `until` are both inclusive, by when the later answer was
    given."""

    owner_email: str | None
    descending: bool
    limit: int
    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    account_id: str | None = None
    stakeholder_id: str | None = None
    nps_kind: str | None = None
    updated_since: datetime | None = None
    after: Sequence[Any] | None = None


async def changes_page(tx: ReadTx, asked: ChangesQuestion) -> Sequence[dict[str, Any]]:
    """Up to `limit` + 1 changes, by when the later answer was given."""
    order = Order(*SORTS["changed_at"], asked.descending, ("r.response_id",), required=True)
    rows = await tx.all(
        "select r.response_id, r.account_id, r.stakeholder_id, r.nps_kind, r.score, r.answered_at, r.recorded_at,"
        " r.answered_at as sort_value, r.revision, previous.response_id as previous_response_id,"
        " previous.score as previous_score"
        f" from responses r{joins(Filters(), asked.owner_email)}{_PREVIOUS}"
        f" where {LIVE} and r.survey_type = 'nps' and {visible('r')}"
        f" and (previous.score is null or ({net('previous.score')}) <> ({net('r.score')}))"
        f"{_conditions(asked)}{order.after(asked.after)}{order.by()} limit :rows",
        **order.bound(asked.after)
        | _scores(asked.kind)
        | {
            "owner_email": asked.owner_email,
            "since": asked.since,
            "until": asked.until,
            "account_id": asked.account_id,
            "stakeholder_id": asked.stakeholder_id,
            "nps_kind": asked.nps_kind,
            "updated_since": asked.updated_since,
            "rows": asked.limit + 1,
        },
    )
    return [dict(row) | {"kind": change_between_scores(row["previous_score"], row["score"])} for row in rows]


def _conditions(asked: ChangesQuestion) -> str:
    given = {
        "a.owner_email = :owner_email": asked.owner_email,
        "r.answered_at >= :since": asked.since,
        "r.answered_at <= :until": asked.until,
        "r.account_id = :account_id": asked.account_id,
        of_person(asked.account_id, "r."): asked.stakeholder_id,
        "r.nps_kind = :nps_kind": asked.nps_kind,
        "r.updated_at > :updated_since": asked.updated_since,
        "r.score = any(cast(:scores as int[])) and coalesce(previous.score, -1) = any(cast(:before as int[]))": (
            asked.kind
        ),
    }
    return and_given(given)


def _scores(kind: str | None) -> dict[str, list[int]]:
    """The scores on both sides of a kind of change; −1 stands for no answer before."""
    if kind is None:
        return {"scores": [], "before": []}
    category_before, category = categories_of(kind)
    by_category: dict[Category | None, list[int]] = {None: [-1]}
    for score in range(HIGHEST_SCORE + 1):
        by_category.setdefault(category_of(score), []).append(score)
    return {"scores": by_category[category], "before": by_category[category_before]}

"""Every answer of an account with what decides whether it counts."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.scorer.domain.answers import Answer
from services.scorer.domain.explain import Candidate
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.pool import conditions, joins, parameters
from shared.db.erasures import Journal
from shared.db.transaction import ReadTx


async def candidates(tx: ReadTx, account_id: str, filters: Filters) -> Sequence[Candidate]:
    """All answers of the account, live or not; a submission that holds several of the survey type is there
    with each of them, one that holds none once. Also what was refused because its id had been taken by
    another answer."""
    matches = conditions(filters, None).removeprefix(" and ") or "true"
    rows = await tx.all(
        "select r.response_id, r.stakeholder_id, r.answered_at, coalesce(e.value_number, r.score) as score,"
        " coalesce(e.question_id, '') as question_id, r.withdrawn or r.erased as withdrawn, r.test,"
        " e.question_id is not null or r.survey_type = :survey_type as asked_for,"
        f" coalesce({matches}, false) as chosen"
        f" from responses r{joins(filters, None)}"
        " left join response_answers e on e.response_id = r.response_id and e.type = :survey_type"
        " where r.account_id = :account_id",
        account_id=account_id,
        **parameters(filters, None),
    )
    found = []
    for row in rows:
        answer = Answer(
            row["response_id"], row["stakeholder_id"], row["answered_at"], int(row["score"]), row["question_id"]
        )
        found.append(
            Candidate(
                answer,
                withdrawn=row["withdrawn"],
                test=row["test"],
                asked_for=row["asked_for"],
                chosen=row["chosen"],
            )
        )
    found += await _conflicts(tx, account_id)
    hidden = await Journal.waiting(tx, account_id)
    return [candidate for candidate in found if candidate.answer.stakeholder_id not in hidden]


async def given_ids(tx: ReadTx, account_id: str) -> dict[str, str]:
    """Of the answers that were given with another id than the person's own: response_id -> that id."""
    rows = await tx.rows(
        "select response_id, given_stakeholder_id from responses"
        " where account_id = :account_id and given_stakeholder_id is not null",
        account_id=account_id,
    )
    return dict(map(tuple, rows))


async def _conflicts(tx: ReadTx, account_id: str) -> list[Candidate]:
    values = await tx.column(
        "select value from parked where kind = 'conflict' and account_id = :account_id and value is not null",
        account_id=account_id,
    )
    conflicts = []
    for value in values:
        answer = _parked_answer(value)
        if answer is not None:
            conflicts.append(Candidate(answer, conflict=True))
    return conflicts


def _parked_answer(value: bytes) -> Answer | None:
    """The answer in a parked record; None where it is an amendment or a withdrawal."""
    data: dict[str, Any] = json.loads(value)
    if "score" not in data or "answered_at" not in data:
        return None
    answered_at = datetime.fromisoformat(data["answered_at"]).astimezone(UTC)
    return Answer(data["response_id"], data["stakeholder_id"], answered_at, data["score"])

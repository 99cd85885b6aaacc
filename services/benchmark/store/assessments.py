"""Assessments of maturity: what was answered and what it came to, as it was then."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db.transaction import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Assessment:
    """One assessment."""

    assessment_id: UUID
    answers: dict[str, int]
    result: dict[str, Any]
    created_at: datetime
    created_by: str


async def keep(tx: WriteTx, new: Assessment, owner_email: str | None) -> None:
    """Store an assessment: of the accounts of one owner, or of all."""
    await tx.execute(
        "insert into assessments (assessment_id, owner_email, answers, result, created_at, created_by) values"
        " (:assessment_id, :owner, cast(:answers as jsonb), cast(:result as jsonb), :created_at, :created_by)",
        assessment_id=new.assessment_id,
        owner=owner_email,
        answers=json.dumps(new.answers),
        result=json.dumps(new.result),
        created_at=new.created_at,
        created_by=new.created_by,
    )


async def newest(
    tx: ReadTx, owner_email: str | None, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> Sequence[Assessment]:
    """Those of one owner's accounts, or of all accounts, the newest first."""
    at = assessment_id = None
    if after is not None:
        at, assessment_id = after
    rows = await tx.all(
        "select assessment_id, answers, result, created_at, created_by from assessments"
        " where owner_email is not distinct from cast(:owner as text) and (cast(:at as timestamptz) is null"
        " or (created_at, assessment_id) < (cast(:at as timestamptz), cast(:id as uuid)))"
        " order by created_at desc, assessment_id desc limit :limit",
        owner=owner_email,
        at=at,
        id=assessment_id,
        limit=limit,
    )
    return [Assessment(**row) for row in rows]

"""All NPS answers between two moments."""

from datetime import datetime

from services.scorer.domain.figures import Tally, tally_from_counts
from services.scorer.domain.questions import Filters
from services.scorer.store.reading.pool import answers_of, conditions, joins, parameters
from shared.db.transaction import ReadTx


async def tally_between(
    tx: ReadTx, filters: Filters, owner_email: str | None, since: datetime, until: datetime
) -> Tally:
    """How many answers of each score, both moments included; people and times are not looked at."""
    rows = await tx.all(
        f"select r.score, count(*) as n from {answers_of('nps')}{joins(filters, owner_email)}"
        f" where r.answered_at >= :since and r.answered_at <= :until{conditions(filters, owner_email)}"
        " group by r.score",
        since=since,
        until=until,
        **dict(parameters(filters, owner_email)) | {"survey_type": "nps"},
    )
    return tally_from_counts({row["score"]: row["n"] for row in rows}, 0, None)

"""What the responses are that changes speak of."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.scorer.store import responses
from shared.amendments import Change, Subject
from shared.db.transaction import ReadTx
from shared.events.posted import posted


async def subjects_of(
    tx: ReadTx, owners: Mapping[str, Mapping[str, Any]], changes: Iterable[tuple[str, Change]]
) -> dict[str, Subject]:
    """The subjects of responses (id -> account_id, stakeholder_id, given_stakeholder_id, survey_type, import_id), for
    these changes (id, change) of theirs. What was first recorded is looked up only where a change is bound to what was
    posted; few are."""
    bound = {response_id for response_id, change in changes if change.posted is not None}
    recorded = await responses.as_recorded(tx, bound & owners.keys())
    subjects = {}
    for response_id, owner in owners.items():
        digest = None
        if response_id in recorded:
            digest = posted(recorded[response_id])
        subjects[response_id] = Subject(
            owner["account_id"],
            owner["stakeholder_id"],
            owner["survey_type"],
            digest,
            owner["given_stakeholder_id"],
            owner["import_id"],
        )
    return subjects

"""Category changes, as the answers stand now."""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.scorer.api.pages import Listing
from services.scorer.api.parameters import Paged, UpdatedSince
from services.scorer.api.resources import Resources
from services.scorer.domain.changes import categories_of
from services.scorer.store.reading.category_changes import SORTS, ChangesQuestion, changes_page
from shared.api.people import Change
from shared.events.responses import NpsKind
from shared.events.scores import ChangeKind
from shared.http.auth import Reader
from shared.http.paging import Page
from shared.http.params import Instant, PathId, StakeholderPathId
from shared.http.query import no_repeats
from shared.http.routing import Router
from shared.ids import derived_uuid
from shared.topics import STAKEHOLDER_ANSWERED

router = Router(tags=["changes"], dependencies=[Depends(no_repeats)])


class ChangesQuery(Paged):
    """Which changes, in which order."""

    since: Instant | None = Field(default=None, description="Changes at or after this moment, by changed_at.")
    until: Instant | None = Field(default=None, description="Changes up to this moment.")
    kind: ChangeKind | None = Field(default=None, description="Only this kind of change.")
    account_id: PathId | None = Field(default=None, description="Only of this account.")
    stakeholder_id: StakeholderPathId | None = Field(default=None, description="Only of this person.")
    nps_kind: NpsKind | None = Field(default=None, description="Only between answers of this kind.")
    updated_since: UpdatedSince = None
    sort: str = Field(
        default="-changed_at", max_length=50, description="`changed_at`, or `-changed_at` for the newest first."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "ChangesQuery":
        if self.since is not None and self.until is not None and self.since > self.until:
            raise PydanticCustomError("from_after_to", "since must not be later than until")
        return self


@router.get("/v1/changes", response_model=Page[Change])
async def list_changes(caller: Reader, resources: Resources, asked: Annotated[ChangesQuery, Query()]) -> dict[str, Any]:
    """Changes of category between two consecutive live NPS answers of one person and nps_kind, history
    included: late, amended and withdrawn answers have corrected it."""
    listing = Listing("changes", asked.sort, SORTS, "response_id")
    question = ChangesQuestion(
        owner_email=caller.owner_email,
        descending=listing.descending,
        limit=asked.limit,
        since=asked.since,
        until=asked.until,
        kind=asked.kind,
        account_id=asked.account_id,
        stakeholder_id=asked.stakeholder_id,
        nps_kind=asked.nps_kind,
        updated_since=asked.updated_since,
        after=listing.position(asked.cursor),
    )
    async with resources.database.read() as tx:
        rows, cursor = listing.cut(await changes_page(tx, question), asked.limit)
    return {"items": [_change(row) for row in rows], "next_cursor": cursor}


def _change(row: dict[str, Any]) -> dict[str, Any]:
    before, now = categories_of(row["kind"])
    return {
        "event_id": derived_uuid(STAKEHOLDER_ANSWERED, row["response_id"], str(row["revision"])),
        "kind": row["kind"],
        "account_id": row["account_id"],
        "stakeholder_id": row["stakeholder_id"],
        "nps_kind": row["nps_kind"],
        "from": before,
        "to": now,
        "from_score": row["previous_score"],
        "to_score": row["score"],
        "response_id": row["response_id"],
        "previous_response_id": row["previous_response_id"],
        "changed_at": row["answered_at"],
        "recorded_at": row["recorded_at"],
    }

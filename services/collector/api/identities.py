"""Who is who: records that are one person are merged, and parted again."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.collector.api.resources import AccountId, Resources, StakeholderId
from services.collector.handlers import directory
from services.collector.handlers.inputs.fields import StakeholderId as Person
from services.collector.handlers.inputs.fields import StrictBool
from shared.api.doubles import Doubles, LikelyDouble, Merged
from shared.http.auth import Ingester, Reader
from shared.http.routing import Router

router = Router(tags=["directory"])
MERGE = "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}/merge"
CANNOT = "The two are one already, or cannot be one; or an id is another person's by now. The code says which."
_EXAMPLE: dict[str, Any] = {"into": "C-17", "dry_run": True}


class MergeInput(BaseModel):
    """Whom to merge the person into."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    into: Annotated[Person, Field(description="The person's own id, of the same account and in the directory.")]
    dry_run: Annotated[StrictBool, Field(description="Only say what the record would be.")] = False


@router.get("/v1/accounts/{account_id}/doubles", summary="People who are likely to be one")
async def list_doubles(account_id: AccountId, caller: Reader, collector: Resources) -> Doubles:
    """Records of the account with the same name (case, accents and blanks aside), or with an id that is an address
    whose local part is that of another's e-mail. At most 200 pairs."""
    async with collector.database.read() as tx:
        found = await directory.doubles_of(tx, account_id, caller.owner_email)
    return Doubles(items=[LikelyDouble(**asdict(double)) for double in found])


@router.post(MERGE, summary="Merge a person into another one", responses={409: {"description": CANNOT}})
async def merge_stakeholder(
    account_id: AccountId, stakeholder_id: StakeholderId, body: MergeInput, caller: Ingester, collector: Resources
) -> Merged:
    """The ids of the one become further ids of the other, whose record stays as it is, unless the one has refused mail:
    answers, invitations and follow-ups by any of them are one person's from then on. 409 where the two are one already,
    where the other is merged away itself, and where the person would have more than 20 further ids."""
    now = collector.clock.now()
    record = await collector.database.retrying(
        lambda tx: directory.merge_people(
            tx, account_id, (stakeholder_id, body.into), now, caller.owner_email, dry_run=body.dry_run
        )
    )
    collector.relay.wake()
    return Merged(
        account_id=account_id,
        stakeholder_id=record.stakeholder_id,
        name=record.name,
        aliases=list(record.aliases),
        dry_run=body.dry_run,
    )


@router.delete(MERGE, status_code=204, summary="Part a person who was merged", responses={409: {"description": CANNOT}})
async def part_stakeholder(
    account_id: AccountId, stakeholder_id: StakeholderId, caller: Ingester, collector: Resources
) -> None:
    """Undoes a merge: the record comes back with the ids that it had, and every figure is as it was. 409 where one of
    them is another person's by now."""
    now = collector.clock.now()
    await collector.database.retrying(
        lambda tx: directory.part_people(tx, account_id, stakeholder_id, now, caller.owner_email)
    )
    collector.relay.wake()

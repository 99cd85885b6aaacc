"""Names for ids: for lists of other services, which carry ids alone."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.scorer.api.parameters import Text
from services.scorer.api.resources import Resources
from services.scorer.store.reading.people import names_of, names_of_owners
from shared.api.names import Names
from shared.http.auth import Reader
from shared.http.params import PathId, StakeholderPathId
from shared.http.routing import Router

router = Router(tags=["people"])
MOST = 500


class Wanted(BaseModel):
    """A person of an account, or the account alone."""

    model_config = ConfigDict(extra="forbid")

    account_id: PathId
    stakeholder_id: StakeholderPathId | None = Field(default=None, examples=["ada@acme.example"])


class NamesWanted(BaseModel):
    """Whose names; `owners` are the e-mail addresses of owners and sponsors of accounts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "of": [{"account_id": "acme", "stakeholder_id": "ada@acme.example"}, {"account_id": "acme"}],
                    "owners": ["lea@supplier.example"],
                }
            ]
        },
    )

    of: list[Wanted] = Field(default=[], max_length=MOST)
    owners: list[Text] = Field(default=[], max_length=MOST)


@router.post("/v1/names", response_model=Names, summary="Names of accounts, people and owners")
async def name(caller: Reader, resources: Resources, asked: NamesWanted) -> dict[str, Any]:
    """A question, though it is posted: too long for an address. What a key may not see is left out; of what nobody
    knows the names are null."""
    people = {(person.account_id, person.stakeholder_id) for person in asked.of}
    async with resources.database.read() as tx:
        rows = await names_of(tx, people, caller.owner_email)
        owners = await names_of_owners(tx, asked.owners, caller.owner_email)
    return {"items": rows, "owners": owners}

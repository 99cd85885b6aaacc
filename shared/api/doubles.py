"""People who are likely to be one, and people who were merged, as the API tells them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE: dict[str, Any] = {
    "items": [{"stakeholder_id": "ada@acme.example", "into": "C-17", "because": "same_name"}],
}


class LikelyDouble(BaseModel):
    """Two records of an account that may be one person's."""

    stakeholder_id: str
    into: str = Field(description="The record that the other may be merged into.")
    because: Literal["same_name", "same_local_part"]


class Doubles(BaseModel):
    """The likely doubles of an account."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    items: list[LikelyDouble]


class Merged(BaseModel):
    """A person with the ids that they have after a merge, or would have."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account_id": "acme",
                "stakeholder_id": "C-17",
                "name": "Ada Lin",
                "aliases": ["ada@acme.example"],
                "dry_run": True,
            }
        }
    )

    account_id: str
    stakeholder_id: str
    name: str | None
    aliases: list[str] = Field(description="The further ids that stand for the person.")
    dry_run: bool = Field(description="Nothing was done.")

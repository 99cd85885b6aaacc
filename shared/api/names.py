"""Names of accounts and people, as the API tells them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE: dict[str, Any] = {
    "items": [
        {"account_id": "acme", "stakeholder_id": "ada@acme.example", "account_name": "Acme Ltd", "name": "Ada Lin"},
        {"account_id": "acme", "stakeholder_id": None, "account_name": "Acme Ltd", "name": None},
    ],
    "owners": [{"email": "lea@supplier.example", "name": "Lea Stone"}],
}


class Named(BaseModel):
    """An id with what it is called; null where the directory does not say."""

    account_id: str
    stakeholder_id: str | None
    account_name: str | None
    name: str | None = Field(description="Of the person.")


class NamedOwner(BaseModel):
    """An owner or sponsor of accounts."""

    email: str
    name: str | None


class Names(BaseModel):
    """The names that were asked for, each once; of owners only those whom an account names as its owner or sponsor."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    items: list[Named]
    owners: list[NamedOwner] = []

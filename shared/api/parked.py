"""Dead letters and conflicts, as the API of each service tells them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class ParkedRecord(BaseModel):
    """A record that was put aside, without its content."""

    id: UUID
    reason: str = Field(description="Stable code.", examples=["invalid_data"])
    detail: str = Field(examples=["2 field(s) break the schema"])
    topic: str = Field(description="Where it was read, without the prefix.", examples=["responses"])
    partition: int
    offset: int
    size: int = Field(description="Bytes of the value.")
    account_id: str | None = Field(description="Null where it could not be read.")
    sender: str | None = Field(description="Id of the API key that sent it; null where none did.")
    parked_at: datetime
    replayed_at: datetime | None = Field(description="When somebody last had it tried again.")
    state: Literal["retrying", "dead"] = Field(
        description="`retrying`: tried again at `next_try_at`; `dead`: nobody tries it until it is replayed or, where a"
        " handler failed on it, another release comes."
    )
    tries: int = Field(description="How often it was tried again without success.")
    next_try_at: datetime | None


class ParkedContent(ParkedRecord):
    """A parked record with its original key, headers and value."""

    key: str | None
    headers: list[tuple[str, str]]
    value: str | None = Field(description="Null where the record had none.")
    encoding: Literal["utf-8", "base64"] = Field(description="How `value` is written here.")


class Replayed(BaseModel):
    """The service that read the record tries it again within seconds."""

    id: UUID
    topic: str
    status: Literal["accepted"] = "accepted"

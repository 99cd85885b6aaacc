"""Waves as outreach tells them: whom a programme is about to ask in a week, for those who know the people."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.api.asks import ASK_ID, AskReason, AskState
from shared.api.programmes import ProgrammeState

WAVE: dict[str, Any] = {
    "programme_id": "prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "programme_name": "Relationship, twice a year",
    "programme_state": "running",
    "day": "2026-12-07",
    "first_at": "2026-12-08T08:12:00Z",
    "to_ask": 12,
    "excluded": 1,
    "accounts": 3,
}
PERSON: dict[str, Any] = {
    "ask_id": ASK_ID,
    "account_id": "acme",
    "account_name": "Acme Ltd",
    "owner": "lea@supplier.example",
    "stakeholder_id": "ada@acme.example",
    "name": "Ada Lin",
    "email": "ada@acme.example",
    "type": "decision_maker",
    "job_title": "COO",
    "state": "waiting",
    "reason": None,
    "note": None,
    "due_at": "2026-12-08T08:12:00Z",
}


class Wave(BaseModel):
    """The people whom a programme asks in one week."""

    model_config = ConfigDict(json_schema_extra={"examples": [WAVE]})

    programme_id: str
    programme_name: str
    programme_state: ProgrammeState
    day: date = Field(description="The Monday of the week.")
    first_at: datetime = Field(description="When the first of them is asked, if nothing changes.")
    to_ask: int = Field(description="People who wait to be asked.")
    excluded: int = Field(description="People who were left out by hand.")
    accounts: int


class Waves(BaseModel):
    """Waves of which somebody is still to be asked, the next one first."""

    items: list[Wave]


class WavePerson(BaseModel):
    """A person of a wave, with what is decided about them so far."""

    model_config = ConfigDict(json_schema_extra={"examples": [PERSON]})

    ask_id: str
    account_id: str
    account_name: str | None
    owner: str | None = Field(description="The address of the account's owner.")
    stakeholder_id: str
    name: str | None
    email: str | None = Field(description="Where the mail would go; null: the directory has no address.")
    type: str | None
    job_title: str | None
    state: AskState
    reason: AskReason | None = Field(description="Why it is held, skipped, failed or withdrawn; `excluded`: by hand.")
    note: str | None = Field(description="The reason in words.")
    due_at: datetime


class WavePeople(BaseModel):
    """Everybody of a wave whom the caller sees, by account and name."""

    programme_id: str
    programme_name: str
    day: date
    items: list[WavePerson]


class PersonAdded(BaseModel):
    """Somebody who is in the directory now; the programme finds them within twelve hours."""

    account_id: str
    stakeholder_id: str

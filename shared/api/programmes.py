"""Programmes, as outreach takes, stores and tells them: which survey, whom, when, by whom, and how often at most."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Objective = Literal["perception", "retention", "growth", "referrals"]
ProgrammeState = Literal["draft", "running", "paused", "ended"]
Days = Annotated[int, Field(ge=0, le=1000)]
Period = Annotated[int, Field(ge=30, le=1000)]
Weekday = Annotated[int, Field(ge=0, le=6)]
MostMails = Annotated[int, Field(ge=1, le=100_000)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
AttributePart = Annotated[str, Field(pattern=r"^[^,=]+$", max_length=200)]
Sentences = Annotated[str, Field(max_length=2000)]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
MOST_OPEN_DAYS: Final = 45
OpenDays = Annotated[int, Field(ge=1, le=MOST_OPEN_DAYS)]
_DOCUMENT: dict[str, Any] = {
    "name": "Relationship, twice a year",
    "survey_id": "srv_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
    "when": {"type": "cadence", "users_days": 91, "decision_makers_days": 182},
    "who": {"tier": "key"},
}


class _Part(BaseModel):
    """A part of a programme: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cadence(_Part):
    """Everybody again after so many days, decision-makers less often. All people of an account are asked in the same
    week, accounts in different ones."""

    type: Literal["cadence"] = "cadence"
    users_days: Period = 91
    decision_makers_days: Period = 182


class OnEvent(_Part):
    """Some days after each context event of a kind."""

    type: Literal["event"] = "event"
    kind: Word = Field(description="Of `POST /v1/context-events`.")
    after_days: Days = 0
    whom: Literal["person", "audience"] = Field(
        default="person", description="The person whom the event names, or the people of its account."
    )
    only_first: bool = Field(default=False, description="After the first such event only.")
    repeat_days: Period | None = Field(default=None, description="Again and again after so many days.")
    until: Word | None = Field(default=None, description="Repeats end with an event of this kind at the account.")

    @model_validator(mode="after")
    def _has_an_end_of_what(self) -> Self:
        if self.until is not None and self.repeat_days is None:
            raise PydanticCustomError("invalid_until", "until needs repeat_days")
        return self


class Once(_Part):
    """One wave, in the week of a day."""

    type: Literal["once"] = "once"
    on: date


class Renewal(_Part):
    """So many days before each account's renewal."""

    type: Literal["renewal"] = "renewal"
    days_before: Days = 90


When = Annotated[Cadence | OnEvent | Once | Renewal, Field(discriminator="type")]


class Audience(_Part):
    """Which people of the directory; what is not given is any. All that are given must hold."""

    account_id: Word | None = None
    type: Word | None = None
    tier: Word | None = None
    industry: Word | None = None
    region: Word | None = None
    owner: MailAddress | None = None
    job_level: Word | None = None
    job_function: Word | None = None
    location: Word | None = None
    attributes: dict[AttributePart, AttributePart] = Field(
        default_factory=dict,
        max_length=10,
        description="Own attributes of the person, else of the account, by name: their values as text.",
        examples=[{"plan": "gold"}],
    )
    not_before_days: Days = Field(default=0, description="Nobody who is a customer for a shorter time.")


class Hours(_Part):
    """Days of the week, 0 = Monday, and full hours of the recipient's day in which mails go."""

    days: tuple[Weekday, ...] = Field(default=(1, 2, 3), min_length=1, max_length=7)
    first_days: tuple[Weekday, ...] = Field(default=(1, 2), max_length=7, description="As long as there are any.")
    opens: int = Field(default=9, ge=0, le=23)
    closes: int = Field(default=16, ge=1, le=24)

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.closes <= self.opens:
            raise PydanticCustomError("invalid_hours", "closes must be later than opens")
        if not set(self.first_days) <= set(self.days):
            raise PydanticCustomError("invalid_hours", "first_days must be among days")
        return self


class Sender(_Part):
    """Whose name mails carry. `name` and `email` also stand in where an account has no owner or sponsor."""

    kind: Literal["owner", "sponsor", "named"] = "owner"
    name: Word | None = None
    email: MailAddress | None = None
    reply_to: MailAddress | None = None

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.kind == "named" and self.email is None:
            raise PydanticCustomError("invalid_sender", "a named sender needs an email")
        return self


class Caps(_Part):
    """The most mails of a day."""

    programme: MostMails = 500
    account: MostMails = 20


class ProgrammeDocument(_Part):
    """What a programme does."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DOCUMENT]})

    name: Word
    survey_id: Word
    when: When
    objective: Objective = "perception"
    who: Audience = Audience()
    hours: Hours = Hours()
    open_days: OpenDays = 30
    reminders: tuple[OpenDays, ...] = Field(
        default=(7, 14), max_length=2, description="Days after the invitation. Nobody is reminded who has finished."
    )
    sender: Sender = Sender()
    caps: Caps = Caps()
    incentive: Sentences | None = Field(
        default=None, description="What everybody gets who answers, whatever the score."
    )
    only_with_permission: bool = Field(default=False, description="Nobody whose permission for mail is unknown.")
    legal_basis: Sentences | None = Field(default=None, description="Said in each mail.")
    owners_look: bool = Field(
        default=True,
        description="Owners get a mail five working days before a week in which people of theirs are asked, and may"
        " leave somebody out.",
    )

    @model_validator(mode="after")
    def _reminds_in_time(self) -> Self:
        if list(self.reminders) != sorted(set(self.reminders)):
            raise PydanticCustomError("invalid_reminders", "reminders must be different days, the earlier one first")
        if self.reminders and self.reminders[-1] >= self.open_days:
            raise PydanticCustomError("invalid_reminders", "reminders must come before the survey closes")
        return self


class ReasonCount(BaseModel):
    """How many people are not asked for one reason."""

    state: Literal["held", "skipped"]
    reason: str
    count: int


class DryRun(BaseModel):
    """What a programme would do, if nothing changed until then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "revision": 3,
                    "from": "2026-12-02T09:00:00Z",
                    "until": "2027-03-03T09:00:00Z",
                    "would_ask": 143,
                    "account_count": 21,
                    "first_at": "2026-12-08T08:12:00Z",
                    "last_at": "2027-03-02T09:40:00Z",
                    "held": 12,
                    "skipped": 9,
                    "reasons": [{"state": "held", "reason": "quarantine", "count": 12}],
                    "accounts_without_anybody": 3,
                    "by_week": [{"week": "2026-12-07", "count": 12}],
                    "by_owner": [{"owner": "lea@supplier.example", "count": 143}],
                    "waves": [{"week": "2026-12-07", "owner": "lea@supplier.example", "count": 12}],
                }
            ]
        }
    )

    revision: int
    from_: datetime = Field(alias="from")
    until: datetime
    would_ask: int = Field(description="People who would get a mail.")
    account_count: int = Field(description="Their accounts.")
    first_at: datetime | None
    last_at: datetime | None
    held: int = Field(description="Who would wait first.")
    skipped: int = Field(description="Who would not be asked.")
    reasons: list[ReasonCount]
    accounts_without_anybody: int = Field(description="Accounts of the audience at which nobody would be asked.")
    by_week: list["WeekCount"]
    by_owner: list["OwnerCount"]
    waves: list["WaveCount"]


class WeekCount(BaseModel):
    """How many mails would go in the week of a Monday."""

    week: date
    count: int


class OwnerCount(BaseModel):
    """How many people of an owner's accounts would get a mail; null: accounts without an owner."""

    owner: str | None
    count: int


class WaveCount(OwnerCount):
    """How many people of an owner's accounts would get a mail in the week of a Monday."""

    week: date


class CalendarEntry(WaveCount):
    """What one programme asks in a week of the people of an owner's accounts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "owner": "lea@supplier.example",
                    "count": 12,
                    "week": "2026-12-07",
                    "programme_id": "prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
                    "programme_name": "Relationship, twice a year",
                }
            ]
        }
    )

    programme_id: str
    programme_name: str


class Calendar(BaseModel):
    """The waves of the programmes that ask now, the next first; as they were found at the last look of each, at most a
    day ago."""

    items: list[CalendarEntry]


class Programme(ProgrammeDocument):
    """A programme with what became of it."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                _DOCUMENT
                | {
                    "programme_id": "prg_01985b3c7d0e7b6a9f1e2d3c4b5a6978",
                    "state": "running",
                    "reason": None,
                    "revision": 3,
                    "dry_run_at": "2026-12-01T09:00:00Z",
                    "begun_on": "2026-12-02",
                    "planned_until": "2026-12-16T09:00:00Z",
                    "created_at": "2026-12-01T08:00:00Z",
                    "created_by": "key:0a1b2c3d4e5f",
                    "updated_at": "2026-12-02T08:00:00Z",
                    "updated_by": "key:0a1b2c3d4e5f",
                }
            ]
        },
    )

    programme_id: str
    state: ProgrammeState
    reason: str | None = Field(description="Why it is paused.")
    revision: int
    dry_run_at: datetime | None = Field(description="When somebody saw what this revision would do; null: not yet.")
    begun_on: date | None = Field(description="The day of its first start, from which its waves are counted.")
    planned_until: datetime | None = Field(description="Up to when asks are written.")
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

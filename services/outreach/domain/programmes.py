"""A programme asks by itself: which survey, whom, when, by whom, and how often at most.

A document is read with `msgspec.convert(document, Programme)` and written with `msgspec.to_builtins`.
"""

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Objective = Literal["perception", "retention", "growth", "referrals"]
ProgrammeState = Literal["draft", "running", "paused", "ended"]
Whom = Literal["person", "audience"]
SenderKind = Literal["owner", "sponsor", "named"]
Days = Annotated[int, Meta(ge=0, le=1000)]
Period = Annotated[int, Meta(ge=30, le=1000)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
LongText = Annotated[str, Meta(max_length=2000)]
Address = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
MOST_OPEN_DAYS: Final = 45


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a programme: unknown fields are refused."""


class Cadence(Part, tag_field="type", tag="cadence", frozen=True):
    """Everybody again after so many days; decision-makers are asked less often. All people of an account are asked in
    the same week, accounts in different ones."""

    users_days: Period = 91
    decision_makers_days: Period = 182


class OnEvent(Part, tag_field="type", tag="event", frozen=True):
    """Some days after each context event of a kind: the person whom it names, or the people of its account.

    `only_first`: after a person's first such event only. `repeat_days`: again and again after so many days, until an
    event of the kind `until` (None: for ever).
    """

    kind: ShortText
    after_days: Days = 0
    whom: Whom = "person"
    only_first: bool = False
    repeat_days: Period | None = None
    until: ShortText | None = None


class Once(Part, tag_field="type", tag="once", frozen=True):
    """One wave, in the week of a day."""

    on: date


class Renewal(Part, tag_field="type", tag="renewal", frozen=True):
    """So many days before each account's renewal."""

    days_before: Days = 90


When = Cadence | OnEvent | Once | Renewal


class Audience(Part, frozen=True):
    """Which people of the directory: None is any. All that are given must hold. `not_before_days`: nobody who is a
    customer for a shorter time. `test`: only those whom the directory marks as test people."""

    account_id: ShortText | None = None
    type: ShortText | None = None
    tier: ShortText | None = None
    industry: ShortText | None = None
    region: ShortText | None = None
    owner: Address | None = None
    job_level: ShortText | None = None
    job_function: ShortText | None = None
    location: ShortText | None = None
    not_before_days: Days = 0


class Hours(Part, frozen=True):
    """Days of the week, 0 = Monday, and full hours of the recipient's day in which mails go."""

    days: tuple[Annotated[int, Meta(ge=0, le=6)], ...] = (1, 2, 3)
    first_days: tuple[Annotated[int, Meta(ge=0, le=6)], ...] = (1, 2)
    opens: Annotated[int, Meta(ge=0, le=23)] = 9
    closes: Annotated[int, Meta(ge=1, le=24)] = 16


class Sender(Part, frozen=True):
    """Whose name mails carry: the owner or the sponsor of each account, else `name` and `email`, who also stand in
    where an account has none."""

    kind: SenderKind = "owner"
    name: ShortText | None = None
    email: Address | None = None
    reply_to: Address | None = None


class Caps(Part, frozen=True):
    """The most mails of a day."""

    programme: Count = 500
    account: Count = 20


class Programme(Part, frozen=True):
    """`reminders`: days after the invitation. `incentive`: what everybody gets who answers, whatever the score.
    `only_with_permission`: nobody whose permission for mail is unknown. `legal_basis`: said in each mail."""

    name: ShortText
    survey_id: ShortText
    when: When
    objective: Objective = "perception"
    who: Audience = Audience()
    hours: Hours = Hours()
    open_days: Annotated[int, Meta(ge=1, le=MOST_OPEN_DAYS)] = 30
    reminders: Annotated[tuple[Annotated[int, Meta(ge=1, le=MOST_OPEN_DAYS)], ...], Meta(max_length=2)] = (7, 14)
    sender: Sender = Sender()
    caps: Caps = Caps()
    incentive: LongText | None = None
    only_with_permission: bool = False
    legal_basis: LongText | None = None


def faults_of(programme: Programme) -> list[tuple[str, str]]:
    """(field, what is wrong with it) of what no single field can say."""
    faults = []
    if programme.hours.closes <= programme.hours.opens:
        faults.append(("hours.closes", "must be later than opens"))
    if not programme.hours.days:
        faults.append(("hours.days", "name at least one day of the week"))
    if not set(programme.hours.first_days) <= set(programme.hours.days):
        faults.append(("hours.first_days", "must be among days"))
    if list(programme.reminders) != sorted(set(programme.reminders)):
        faults.append(("reminders", "must be different days, the earlier one first"))
    if programme.reminders and programme.reminders[-1] >= programme.open_days:
        faults.append(("reminders", "must come before the survey closes"))
    if programme.sender.kind == "named" and programme.sender.email is None:
        faults.append(("sender.email", "say who writes"))
    if isinstance(programme.when, OnEvent) and programme.when.until is not None and programme.when.repeat_days is None:
        faults.append(("when.until", "needs repeat_days"))
    return faults

"""Responses as nearly all of them are, read at a quarter of the price of their model: for whoever folds a backlog.

What a response is, `events.responses` says. This is the part of it with every field given and nothing nested, as the
collector writes it. Whatever else comes is not plain and goes to the model, so this may take less than the model does,
but never more, and never reads another value: a test holds the two against each other.
"""

import re
from datetime import datetime
from typing import Annotated, Final

from msgspec import DecodeError, Meta
from msgspec.json import Decoder

from shared.events.envelope import PlainData
from shared.events.responses import Channel, NpsKind, ResponseRecorded, SurveyType

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


class PlainResponse(PlainData, frozen=True, gc=False, forbid_unknown_fields=True):
    """The data of a response.recorded event, with the fields of its model in their order."""

    response_id: Id
    account_id: Id
    stakeholder_id: Id
    email: str | None
    survey_type: SurveyType
    score: int
    comment: str | None
    answered_at: Moment
    recorded_at: Moment
    nps_kind: NpsKind
    touchpoint: str | None
    product: str | None
    channel: Channel | None
    survey_id: Id | None
    invitation_id: Id | None
    language: str | None
    follow_up_requested: bool
    answers: tuple[()]
    attributes: Annotated[dict[str, None], Meta(max_length=0)]
    test: bool
    sent: Annotated[tuple[str, ...], Meta(min_length=1)]
    quiet: bool


Recorded = PlainResponse | ResponseRecorded
"""A response, however it was read."""
_read: Final = Decoder(PlainResponse).decode
_finer: Final = re.compile(rb"\.[0-9]{7}").search
"""A moment given finer than to the microsecond: the model cuts it off, this reader would round it."""


def plain_response(value: bytes) -> PlainResponse | None:
    """The response that the value of a record holds; None where it is not plain, or none at all."""
    try:
        return None if _finer(value) else _read(value)
    except (DecodeError, UnicodeDecodeError):
        return None

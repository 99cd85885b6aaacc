"""Responses, their amendments and withdrawals: from the client's input to the complete event."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.collector.handlers.inputs.fields import AHEAD
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.collector.handlers.refusals import refused
from shared.errors import Invalid
from shared.events.envelope import Event, EventData
from shared.events.responses import Answer, Channel, NpsKind, ResponseAmended, ResponseRecorded, ResponseWithdrawn
from shared.identity import stakeholder_of
from shared.ids import derived_uuid, uuid7
from shared.topics import RESPONSE_AMENDED, RESPONSE_RECORDED, RESPONSE_WITHDRAWN

SOURCE = "/tellback/collector"
# For these fields null means absent: a default is filled in, and defaults are not compared.
_FILLED_IN = frozenset(
    {"response_id", "answered_at", "nps_kind", "channel", "follow_up_requested", "answers", "attributes", "test"}
)


class Sender(NamedTuple):
    """The sender of responses: an API key, and the Idempotency-Key of the request if there is one."""

    key_id: str
    idempotency_key: str | None = None

    def response_id(self, index: int | None = None) -> str | None:
        """The response_id derived from the Idempotency-Key; in a batch each index has its own."""
        if self.idempotency_key is None:
            return None
        parts = ["response", self.key_id, self.idempotency_key]
        if index is not None:
            parts.append(str(index))
        return str(derived_uuid(*parts))


def recorded(
    body: NewResponse,
    now: datetime,
    *,
    response_id: str | None = None,
    answered_at: datetime | None = None,
    channel: Channel | None = None,
    quiet: bool = False,
) -> Event:
    """The event of an accepted response, complete and normalised. `response_id` is for a body that has none;
    `answered_at` (else now) and `channel` are the defaults for absent fields. Raises `Invalid` for a time that is more
    than 5 minutes ahead."""
    moment = body.answered_at or answered_at or now
    not_ahead("answered_at", moment, now)
    data = ResponseRecorded.trusted(
        {
            "response_id": body.response_id or response_id or str(uuid7()),
            "account_id": body.account_id,
            "stakeholder_id": who(body.stakeholder_id, body.email),
            "email": body.email.lower() if body.email else None,
            "survey_type": body.survey_type,
            "score": body.score,
            "comment": body.comment or None,
            "answered_at": moment,
            "recorded_at": now,
            "nps_kind": _nps_kind(body),
            "touchpoint": body.touchpoint,
            "product": body.product,
            "channel": body.channel or channel,
            "survey_id": body.survey_id,
            "invitation_id": body.invitation_id,
            "language": body.language,
            "follow_up_requested": bool(body.follow_up_requested),
            "answers": tuple(Answer.model_construct(**answer.__dict__) for answer in body.answers or ()),
            "attributes": body.attributes or {},
            "test": bool(body.test),
            "sent": _sent(body),
            "quiet": quiet,
        }
    )
    return _event(uuid7(), RESPONSE_RECORDED, now, body.account_id, data)


def amended(
    response_id: str, body: Amendment, idempotency_key: str | None, now: datetime, posted: str | None = None
) -> Event:
    """The event of an amendment, bound to the response whose digest is `posted`, where that is known. Raises `Invalid`
    when nothing is amended."""
    changes = body.changes()
    if not changes:
        raise Invalid("nothing_to_change", "name at least one field to change")
    if changes.get("comment") == "":
        changes["comment"] = None
    # An Idempotency-Key belongs to its sender: amendments by others under this id are different events.
    event_id = _change_id("PATCH", response_id, idempotency_key, posted or "")
    data = ResponseAmended.model_construct(
        event_id=event_id,
        response_id=response_id,
        account_id=body.account_id,
        stakeholder_id=body.stakeholder_id,
        changes=changes,
        recorded_at=now,
        survey_type=body.survey_type,
        posted=posted,
    )
    return _event(event_id, RESPONSE_AMENDED, now, body.account_id, data)


def withdrawn(response_id: str, account_id: str, idempotency_key: str | None, now: datetime) -> Event:
    """The event of a withdrawal."""
    event_id = _change_id("DELETE", response_id, idempotency_key)
    data = ResponseWithdrawn.model_construct(
        event_id=event_id, response_id=response_id, account_id=account_id, recorded_at=now
    )
    return _event(event_id, RESPONSE_WITHDRAWN, now, account_id, data)


def who(stakeholder_id: str | None, email: str | None) -> str:
    """The person: the id, else the address in lower case, without any look-up."""
    return stakeholder_id or stakeholder_of(email or "")


def not_ahead(field: str, moment: datetime, now: datetime) -> None:
    """Raises `Invalid` for a time that is more than 5 minutes ahead."""
    if moment > now + AHEAD:
        raise refused(field, "out_of_range", "must be at most 5 minutes ahead")


def _change_id(verb: str, response_id: str, idempotency_key: str | None, posted: str = "") -> UUID:
    if idempotency_key is None:
        return uuid7()
    return derived_uuid(verb, response_id, idempotency_key, posted)


def _nps_kind(body: NewResponse) -> NpsKind:
    if body.nps_kind:
        return body.nps_kind
    if body.touchpoint:
        return "transactional"
    return "relationship"


def _sent(body: NewResponse) -> tuple[str, ...]:
    values: dict[str, Any] = body.__dict__
    sent = []
    for name in sorted(body.model_fields_set):
        means_absent = values[name] is None and name in _FILLED_IN
        if name != "response_id" and not means_absent:
            sent.append(name)
    return tuple(sent)


def _event(event_id: UUID, name: str, now: datetime, account_id: str, data: EventData) -> Event:
    return Event(event_id, name, SOURCE, now, account_id, data)

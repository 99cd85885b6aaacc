"""CloudEvents 1.0 in Kafka's binary mode: the attributes are headers, the value is the data as JSON."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.clock import rfc3339
from shared.errors import Poison, UnknownKind
from shared.topics import TYPE_PREFIX

Headers = list[tuple[str, bytes]]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An id in an event: canonical already, but never longer than an index takes."""


class EventData(BaseModel):
    """Base of every event's data. Readers ignore fields they do not know; within a major version fields are only
    added, and only with a default."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_timedelta="iso8601")

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """An instance of values that were validated already; every field must be given. Like `model_construct`, but
        without its loop over the fields, for events made on a hot path."""
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


class PlainData(msgspec.Struct, frozen=True):
    """Base of event data read without its model, for events that come by the hundred thousand: the same attributes with
    the same values as the model."""

    def model_dump(self) -> dict[str, Any]:
        """The fields by name, as the model gives them."""
        return msgspec.structs.asdict(self)

    def model_dump_json(self) -> str:
        """The fields as JSON, as the model writes it."""
        return msgspec.json.encode(self).decode()


PlainReaders = Mapping[str, Callable[[bytes], PlainData | None]]
"""Event name -> a reader that is tried before the model; it returns None for data that it cannot tell to be valid."""
SENDER = "ce_sender"
"""The header of our own extension attribute: the id of the API key that sent the event."""
_MOST_SENDER = 64
FILE = "ce_file"
"""The header of our own extension attribute: the row of the imported file that the event is made of, as
`shared.events.files` reads it."""
_NUL = re.compile(rb"(\\+)u0000")
_KINDS: dict[str, tuple[str, int, type[EventData]]] = {}
"""CloudEvents type -> name, major version, model."""


def register(name: str, model: type[EventData], major: int = 1) -> None:
    """Declare which model carries the data of `name` in this major version."""
    _KINDS[f"{TYPE_PREFIX}{name}.v{major}"] = name, major, model


def registered() -> dict[str, type[EventData]]:
    """All known CloudEvents types with their models."""
    return {event_type: model for event_type, (_, _, model) in _KINDS.items()}


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event. `name` is the type without prefix and version, `account_id` decides the partition, `key` is the
    record's key (the account, except on compacted topics, where it names the entity). `sender` is the id of the API key
    that sent the event, where one did: it serves to trace faults to a program, so it stays in the record's headers and
    is never passed on. `file` is the header that names the row of an imported file. `data` is a `PlainData` where the
    consumer has a plain reader for the type.

    A struct, since a hundred thousand of them are made in a few seconds: a named tuple costs four times as much, a
    frozen dataclass more. An event is never part of a reference cycle, so the garbage collector does not track it.
    """

    id: UUID
    name: str
    source: str
    time: datetime
    account_id: str
    data: EventData
    key: str | None = None
    major: int = 1
    sender: str | None = None
    file: str | None = None

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return type_of(self.name, self.major)

    @property
    def record_key(self) -> str:
        """The key of the record in Kafka."""
        return self.key or self.account_id

    def by(self, sender: str) -> "Event":
        """This event with the id of the API key that sent it."""
        return msgspec.structs.replace(self, sender=sender)

    def of_file(self, file: str) -> "Event":
        """This event as made of a row of a file."""
        return msgspec.structs.replace(self, file=file)

    def headers(self) -> Headers:
        """The CloudEvents attributes as record headers."""
        headers = headers_of(str(self.id), self.type, self.source, rfc3339(self.time), self.sender)
        if self.file is not None:
            headers.append((FILE, self.file.encode()))
        return headers

    def value(self) -> bytes:
        """The data as JSON."""
        return self.data.model_dump_json().encode()


def type_of(name: str, major: int = 1) -> str:
    """The CloudEvents type of an event's name."""
    return f"{TYPE_PREFIX}{name}.v{major}"


def headers_of(event_id: str, event_type: str, source: str, time: str, sender: str | None = None) -> Headers:
    """Record headers of a CloudEvent in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    ]
    if sender is not None:
        headers.append((SENDER, sender.encode()))
    return headers


def sender_in(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """The sender that the headers of a record name; None unless it has the form of a key's id."""
    return next((_sender((raw or b"").decode("latin-1")) for name, raw in headers if name == SENDER), None)


def _sender(text: str) -> str | None:
    """Any producer of the topic may write any text here; only the form of a key's id is accepted, which every index
    takes."""
    return text if len(text) <= _MOST_SENDER and text.isalnum() and text.isascii() else None


def decode(headers: Iterable[tuple[str, bytes]], value: bytes, plain: PlainReaders = MappingProxyType({})) -> Event:
    """Read a record back into an event; the data by a `plain` reader where one succeeds. Raises `Poison` with a stable
    code: `no_envelope`, `unknown_type`, `not_json_content`, `invalid_data`; `UnknownKind` for an unknown type of major
    1, which a newer release has added."""
    try:
        attributes = {name: (raw or b"").decode() for name, raw in headers}
        event_id = _uuid(attributes["ce_id"])
        event_type = attributes["ce_type"]
        time = datetime.fromisoformat(attributes["ce_time"])
        source = attributes["ce_source"]
    except (UnicodeDecodeError, AttributeError):
        raise Poison("no_envelope", "a header is not UTF-8") from None
    except (KeyError, ValueError):
        raise Poison("no_envelope", "CloudEvents headers are missing or malformed") from None
    if attributes.get("ce_specversion") != "1.0" or time.tzinfo is None:
        raise Poison("no_envelope", "not a CloudEvents 1.0 record")
    kind = _KINDS.get(event_type)
    if kind is None:
        added_later = event_type.startswith(TYPE_PREFIX) and event_type.endswith(".v1")
        raise (UnknownKind if added_later else Poison)("unknown_type", "no reader for this type and major version")
    name, major, model = kind
    if not attributes.get("content-type", "application/json").startswith("application/json"):
        raise Poison("not_json_content", "the value is not JSON")
    if b"\\u0000" in value and _holds_nul(value):
        raise Poison("invalid_data", "a text holds NUL, which no table can keep")
    read = plain.get(name)
    data: Any = (read(value) if read is not None else None) or _by_model(model, value)
    sender = _sender(attributes[SENDER]) if SENDER in attributes else None
    account_id = getattr(data, "account_id", "")
    return Event(event_id, name, source, time, account_id, data, None, major, sender, attributes.get(FILE))


def _uuid(text: str) -> UUID:
    try:
        return msgspec.convert(text, UUID)  # takes a third of the time of UUID()
    except msgspec.ValidationError:
        return UUID(text)  # spellings that msgspec refuses


def _by_model(model: type[EventData], value: bytes) -> EventData:
    try:
        data: EventData = model.__pydantic_validator__.validate_json(value)  # model_validate_json without its wrapper
    except ValidationError as error:
        raise Poison("invalid_data", f"{error.error_count()} field(s) break the schema") from None
    return data


def _holds_nul(value: bytes) -> bool:
    """Whether the escape really stands for NUL: a backslash may itself be escaped."""
    return any(len(match[1]) % 2 for match in _NUL.finditer(value))

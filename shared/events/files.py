"""Rows of imported files: which row an event is made of, and what a row is to a response that is known already.

One rule for all services that keep answers. What becomes of a row depends on its event, on what was first recorded
under its id, and on the changes that were read before it; so services that read the same log agree.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, cast
from uuid import UUID

from shared.amendments import AMENDABLE, OF_A_CLIENT, OF_A_FILE, Change, Subject, fold, refusal
from shared.clock import rfc3339
from shared.events.response_fast_reader import Recorded
from shared.ids import derived_uuid

Mode = Literal["upsert", "only_new", "overwrite"]
"""What a row does to a response that is known: change it, leave it, or change it even where a call has set a field."""
RowOutcome = Literal["new", "amended", "same", "kept", "conflict", "gone", "dropped"]
"""What became of a row: `kept` says something else and changed nothing, `gone` is of an answer or person taken out,
`dropped` could not be handled and was given up by an operator."""
IN_DIGESTS: Final = ("answers", "attributes")
"""Fields that are compared by a digest: not every service keeps them."""
_FORM: Final = re.compile(r"([0-9a-f-]{36}):([0-9]{1,10}):(upsert|only_new|overwrite):([0-9T:.+Z-]{20,40})")
_LINES: Final = 1 << 32


class Origin(NamedTuple):
    """The row of a file that an event is made of: the import, the line, the mode of the import, and when the file was
    written."""

    import_id: UUID
    line: int
    mode: Mode
    written_at: datetime

    def header(self) -> str:
        """The value of the header `ce_file`."""
        return f"{self.import_id}:{self.line}:{self.mode}:{rfc3339(self.written_at)}"

    @property
    def change_id(self) -> UUID:
        """The id of the change that this row makes. It begins with the line, so that of two rows of a file about one
        response the later one counts."""
        made = derived_uuid("file", str(self.import_id), str(self.line))
        return UUID(int=(self.line % _LINES) << 96 | made.int % (1 << 96))


def origin_in(header: str | None) -> Origin | None:
    """The row that a header names; None without one, or where it has another form: any producer may write any text."""
    match = _FORM.fullmatch(header or "")
    if match is None:
        return None
    try:
        origin = Origin(UUID(match[1]), int(match[2]), cast(Mode, match[3]), datetime.fromisoformat(match[4]))
    except ValueError:
        return None
    if origin.written_at.tzinfo is None:
        return None
    return origin


@lru_cache(maxsize=256)
def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def import_of(header: str | None) -> UUID | None:
    """The import that a header names, without reading the rest of it: for the many rows that are new."""
    if header is None:
        return None
    return _uuid(header.partition(":")[0])


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What becomes of a row. `code` says why it is a conflict or was not followed, `fields` which of its values do not
    stand; `change` is what is to be stored."""

    outcome: RowOutcome
    code: str = ""
    fields: Sequence[str] = ()
    change: Change | None = None


def compared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a response, in the form in which they are compared: `answers` and `attributes` as digests."""
    found = dict(values)
    for name in IN_DIGESTS:
        if name in found:
            found[name] = _digest(found[name])
    return found


def digests_of(data: Recorded) -> dict[str, str]:
    """The digests of what a service does not keep of a response; only of fields that say anything."""
    digests = {}
    for name in IN_DIGESTS:
        value = _plain(name, getattr(data, name))
        if value:
            digests[name] = _digest(value)
    return digests


def judge(
    origin: Origin,
    row: Recorded,
    person_id: str,
    subject: Subject,
    recorded: Mapping[str, Any],
    changes: Collection[Change],
) -> RowVerdict:
    """What becomes of a row whose id is known. `person_id` is whose the row is, whichever of their ids it names;
    `subject` and `recorded` are the response as it was recorded first, the latter `compared` with what the service
    keeps of it; `changes` are all that were read before the row. What the row says of a field that `recorded` lacks
    counts for nothing, since nobody knows any more what was there."""
    if not _is_about(row, person_id, subject):
        return RowVerdict("conflict", "row_of_another")
    live = fold(subject, changes)
    if live.withdrawn:
        return RowVerdict("conflict", "withdrawn_here")
    said = {name: value for name, value in said_by(row).items() if name in recorded}
    standing = {**recorded, **compared(live.values)}
    others = _first_stands(row, recorded)
    differing = _differing(said, standing)
    if origin.mode == "only_new":
        return _verdict((), [*differing, *others], "only_new", None)
    change = change_of(origin, row, subject, said)
    read_again = any(change.event_id == other.event_id for other in changes)
    if read_again or not (_differing(said, recorded) or _must_be_kept(change, subject, changes)):
        return _verdict((), [*differing, *others], "kept_here", None)
    after = {**recorded, **compared(fold(subject, [*changes, change]).values)}
    kept = _differing(said, after)
    applied = sorted({*differing} - {*kept})
    return _verdict(applied, [*kept, *others], "kept_here", change)


def change_of(origin: Origin, row: Recorded, subject: Subject, said: Mapping[str, Any]) -> Change:
    """The change that a row makes, by its event alone. It names the person as the response does."""
    rank = OF_A_FILE
    if origin.mode == "overwrite":
        rank = OF_A_CLIENT
    return Change(
        origin.change_id,
        "amended",
        row.account_id,
        _given(subject),
        row.recorded_at,
        said,
        row.survey_type,
        rank=rank,
        written_at=origin.written_at,
        import_id=origin.import_id,
        quiet=row.quiet,
    )


def said_by(row: Recorded) -> dict[str, Any]:
    """What a row says of the fields that can be amended. An empty cell says nothing."""
    said = {}
    for name in row.sent:
        if name not in AMENDABLE:
            continue
        value = _plain(name, getattr(row, name))
        if value is None or value in ("", {}, []):
            continue
        said[name] = value
    return said


def undoing(import_id: UUID, response_id: str, account_id: str, recorded_at: datetime) -> Change:
    """The change of one response that takes back what an import has said of it."""
    event_id = derived_uuid("undone", str(import_id), account_id, response_id)
    return Change(event_id, "undone", account_id, None, recorded_at, import_id=import_id, quiet=True)


def _is_about(row: Recorded, person_id: str, subject: Subject) -> bool:
    if (row.account_id, row.survey_type) != (subject.account_id, subject.survey_type):
        return False
    return row.stakeholder_id == _given(subject) or person_id == subject.stakeholder_id


def _given(subject: Subject) -> str:
    """The id that the response was given with."""
    return subject.given_stakeholder_id or subject.stakeholder_id


def _verdict(applied: Sequence[str], left: Sequence[str], code: str, change: Change | None) -> RowVerdict:
    fields = sorted(left)
    if not fields:
        code = ""
    if applied:
        return RowVerdict("amended", code, fields, change)
    if fields:
        return RowVerdict("kept", code, fields, change)
    return RowVerdict("same", "", (), change)


def _differing(said: Mapping[str, Any], standing: Mapping[str, Any]) -> list[str]:
    names = []
    for name, value in compared(said).items():
        if value != standing.get(name):
            names.append(name)
    return names


def _first_stands(row: Recorded, recorded: Mapping[str, Any]) -> list[str]:
    """The fields that no amendment can change and in which the row differs from what was recorded. Another id of the
    same person is no difference."""
    names = []
    alike = [*AMENDABLE, "stakeholder_id"]
    if row.email == row.stakeholder_id:
        alike.append("email")
    for name in row.sent:
        if name in recorded and name not in alike and getattr(row, name) not in (None, recorded[name]):
            names.append(name)
    return names


def _must_be_kept(change: Change, subject: Subject, changes: Iterable[Change]) -> bool:
    """Whether a row matters that says what was recorded first. Most rows of a file that comes again do not, and no
    change is stored for them; but one that overwrites stands over later files, and another one over earlier files."""
    if change.rank == OF_A_CLIENT:
        return bool(change.changes)
    for other in changes:
        if other.kind == "amended" and other.rank == OF_A_FILE and refusal(subject, other) is None:
            return True
    return False


def _plain(name: str, value: Any) -> Any:
    """A value of a response as JSON has it."""
    if name == "answers":
        return [entry.model_dump() for entry in value]
    return value


def _digest(value: Any) -> str:
    text = json.dumps(_whole_numbers(value or None), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _whole_numbers(value: Any) -> Any:
    """A value with whole floats as integers: the tables do not tell 100 from 1e2, nor zero from negative zero."""
    if isinstance(value, Mapping):
        return {name: _whole_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


NO_DIGESTS: Final = compared(dict.fromkeys(IN_DIGESTS))
"""The digests of a response without further answers and attributes."""

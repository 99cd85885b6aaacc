"""Which column of a file is which field: by the names that people and other tools use, or as the importer maps them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from typing import Final, Literal

Kind = Literal["responses", "accounts", "stakeholders"]
RESPONSES: Final = "responses"
ACCOUNTS: Final = "accounts"
STAKEHOLDERS: Final = "stakeholders"

_PERSON = {
    "account_id": (
        "account id", "account", "company id", "client id", "customer id", "account number", "account name",
        "company", "client", "customer", "company name", "client name", "customer name", "organisation", "organization",
    ),
    "stakeholder_id": (
        "stakeholder id", "stakeholder", "respondent id", "respondent", "contact id", "contact", "person id", "person",
        "user id", "recipient id", "recipient",
    ),
    "email": ("email", "email address", "e-mail address", "person email", "contact email", "respondent email"),
    "language": ("language", "locale"),
}  # fmt: skip
SYNONYMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    RESPONSES: _PERSON
    | {
        "response_id": ("response id", "submission id", "answer id"),
        "survey_type": ("survey type", "metric", "question type"),
        "score": ("score", "nps score", "nps", "rating", "value", "csat", "csat score", "ces", "ces score"),
        "comment": ("comment", "comments", "feedback", "feedback message", "text", "answer", "verbatim"),
        "answered_at": (
            "answered at", "response date", "date", "answered on", "submitted at", "collected at", "responded at",
            "created at", "timestamp", "survey date",
        ),
        "nps_kind": ("nps kind",),
        "touchpoint": ("touchpoint", "touch point"),
        "product": ("product", "product name", "service"),
        "channel": ("channel", "survey channel", "source"),
        "survey_id": ("survey id", "survey"),
        "invitation_id": ("invitation id",),
        "follow_up_requested": ("follow up requested", "follow up", "contact me"),
        "test": ("test",),
    },
    ACCOUNTS: {
        "account_id": _PERSON["account_id"][:6],
        "name": (
            "name", "account name", "company name", "client name", "customer name", "company", "client", "customer",
        ),
        "industry": ("industry", "sector"),
        "tier": ("tier", "account tier", "segment"),
        "region": ("region",),
        "annual_revenue.amount": ("annual revenue", "revenue", "annual revenue amount", "arr"),
        "annual_revenue.currency": ("currency", "annual revenue currency", "revenue currency"),
        "renewal_on": ("renewal on", "renewal date", "renewal", "contract end"),
        "closed_on": ("closed on", "closed date", "lost on"),
        "products": ("products", "services"),
        "owner.name": ("owner", "owner name", "account manager", "account owner", "account manager name"),
        "owner.email": ("owner email", "account manager email", "account owner email"),
        "sponsor.name": ("sponsor", "sponsor name", "executive sponsor"),
        "sponsor.email": ("sponsor email", "executive sponsor email"),
        "parent_account_id": ("parent account id", "parent account", "parent"),
        "domains": ("domains", "domain"),
    },
    STAKEHOLDERS: _PERSON
    | {
        "name": ("name", "full name", "stakeholder name", "contact name", "person name"),
        "first_name": ("first name", "given name"),
        "last_name": ("last name", "surname", "family name"),
        "type": ("type", "stakeholder type", "role", "contact type"),
        "job_title": ("job title", "title", "position"),
        "job_level": ("job level", "level", "seniority"),
        "job_function": ("job function", "function", "department"),
        "location": ("location", "country", "city", "site"),
    },
}  # fmt: skip
"""Field -> its names, the best first; case, spaces and punctuation are ignored."""

_ATTRIBUTE = re.compile(r"attributes\.[^\x00-\x1f\x7f]{1,200}")
_EXPORTED = frozenset({"response_id", "revision", "answers", "attributes"})
"""Columns by which an export of responses by Tellback itself is known: two of them hold JSON."""
_PUNCTUATION = re.compile(r"[\W_]+")


class ColumnError(Exception):
    """The columns cannot be matched: a stable `code`, the field concerned, and a hint that repeats nothing of the
    file."""

    def __init__(self, code: str, field: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.field = field
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Columns:
    """Matched columns: their names, field -> position in the row, and field -> constant text. `only`: position -> the
    values (in lower case) of rows to be taken."""

    kind: Kind
    header: tuple[str, ...]
    places: Mapping[str, int]
    constants: Mapping[str, str]
    only: Mapping[int, Sequence[str]] = member(default_factory=dict)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names of columns that are not taken."""
        return tuple(name for place, name in enumerate(self.header) if name and place not in self.places.values())

    def named(self) -> dict[str, str]:
        """Field -> the name of its column, or `=` and its constant: the mapping that reproduces these columns."""
        columns = {field: self.header[place] for field, place in self.places.items()}
        return columns | {field: f"={text}" for field, text in self.constants.items()}


def match_columns(kind: Kind, header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Match a header. `mapping` is field -> column name (or column name -> field, where that is the only reading),
    with `=text` as a constant for all rows and an empty name for a field that is not to be taken.

    Raises ColumnError: unknown_field, unknown_column, ambiguous_column, missing_column.
    """
    places: dict[str, int] = {}
    constants: dict[str, str] = {}
    wanted = directed(kind, mapping)
    for field, name in wanted.items():
        if name.startswith("="):
            constants[field] = name[1:].strip()
        elif name:
            places[field] = _position(field, name, header)
    free = _free_columns(header, set(places.values()))
    for field, names in SYNONYMS[kind].items():
        if field not in wanted:
            place = _first_match(names, free)
            if place is not None and place not in places.values():
                places[field] = place
    if kind == ACCOUNTS and "account_id" not in wanted and "account_id" not in places and "name" in places:
        places["account_id"] = places["name"]
    places |= _json_columns(kind, header)
    if kind == RESPONSES and "survey_type" not in {*wanted, *places} and "score" in places:
        constants |= _metric(header[places["score"]])
    _require(kind, {*places, *constants})
    return Columns(kind, tuple(header), places, constants)


def _json_columns(kind: Kind, header: Sequence[str]) -> dict[str, int]:
    """The columns of an export of our own that hold JSON."""
    if kind != RESPONSES or not _EXPORTED.issubset(header):
        return {}
    return {field: header.index(field) for field in ("answers", "attributes")}


def _free_columns(header: Sequence[str], taken: set[int]) -> dict[str, int]:
    """Column name -> position; of several columns with one name the first."""
    free: dict[str, int] = {}
    for place, column in enumerate(header):
        if place not in taken:
            free.setdefault(_plain(column), place)
    return free


def _first_match(names: Sequence[str], columns: Mapping[str, int]) -> int | None:
    for name in names:
        place = columns.get(_plain(name))
        if place is not None:
            return place
    return None


def directed(kind: str, mapping: Mapping[str, str]) -> Mapping[str, str]:
    """The mapping as field -> column name, in whichever direction it was written."""
    if all(_is_field(kind, field) for field in mapping):
        return mapping
    if all(_is_field(kind, field) for field in mapping.values() if field):
        return {field: name for name, field in mapping.items() if field}
    raise ColumnError(
        "unknown_field", "columns", f"fields of {kind} are {', '.join(SYNONYMS[kind])}, attributes.<name>"
    )


def _is_field(kind: str, name: str) -> bool:
    return name in SYNONYMS[kind] or _ATTRIBUTE.fullmatch(name) is not None


def _position(field: str, name: str, header: Sequence[str]) -> int:
    places = [place for place, column in enumerate(header) if column == name.strip()]
    word = _plain(name)
    if not places and word:
        places = [place for place, column in enumerate(header) if _plain(column) == word]
    if not places:
        raise ColumnError("unknown_column", field, f"the file has no column of the name given for {field}")
    if len(places) > 1:
        raise ColumnError("ambiguous_column", field, f"the file has several columns of the name given for {field}")
    return places[0]


def _metric(score_column: str) -> dict[str, str]:
    """The survey type, where the score's column is called CSAT or CES."""
    for metric in ("csat", "ces"):
        if _plain(score_column).startswith(metric):
            return {"survey_type": metric}
    return {}


def _require(kind: str, fields: set[str]) -> None:
    if "account_id" not in fields:
        raise ColumnError("missing_column", "account_id", "no column says the account; name it with columns")
    if kind != ACCOUNTS and not fields & {"stakeholder_id", "email"}:
        raise ColumnError(
            "missing_column",
            "stakeholder_id",
            "no column says the person (stakeholder_id or email); name it with columns",
        )
    if kind == RESPONSES and "score" not in fields:
        raise ColumnError("missing_column", "score", "no column holds the score; name it with columns")


def _plain(name: str) -> str:
    return _PUNCTUATION.sub("", name).casefold()

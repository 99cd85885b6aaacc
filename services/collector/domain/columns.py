"""Which column of a file is which field: by the names that people and other tools use, or as the importer maps them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from typing import Final, Literal

from services.collector.domain.mapping import directed

Kind = Literal["responses", "accounts", "stakeholders"]
RESPONSES: Final = "responses"
ACCOUNTS: Final = "accounts"
STAKEHOLDERS: Final = "stakeholders"
KINDS: Final[Sequence[Kind]] = (RESPONSES, ACCOUNTS, STAKEHOLDERS)

_PERSON = {
    "account_id": (
        "account id", "account", "company id", "client id", "customer id", "account number", "account name",
        "company", "client", "customer", "company name", "client name", "customer name", "organisation", "organization",
    ),
    "stakeholder_id": (
        "stakeholder id", "contact id", "person id", "user id", "recipient id",
        "stakeholder", "respondent id", "respondent", "contact", "person", "recipient",
    ),
    "email": ("email", "email address", "e-mail address", "person email", "contact email", "respondent email"),
    "language": ("language", "locale"),
}  # fmt: skip
_TIME_ZONE = ("time zone", "iana time zone")
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
        "answers": (),
        "attributes": (),
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
        "time_zone": _TIME_ZONE,
        "language": _PERSON["language"],
        "customer_since": ("customer since", "client since", "customer start date", "onboarded on"),
        "do_not_ask.until": ("do not ask until",),
        "do_not_ask.reason": ("do not ask reason",),
        "attributes": (),
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
        "time_zone": _TIME_ZONE,
        "mail_permission": ("mail permission", "email permission", "mail consent", "email consent"),
        "attributes": (),
    },
}  # fmt: skip
"""Field -> its names, the best first; case, spaces and punctuation are ignored. Fields without names are in our own
exports, as JSON."""

_NO_ID_BESIDE_AN_ADDRESS = _PERSON["stakeholder_id"][5:]
"""Where there is an e-mail address these are numbers of answers or names to show, and never the person."""
_PLAINLY_NPS = re.compile(r"^score$|nps|recommend|empfehl|recomend")
"""Words in the name of a score's column that leave no doubt about what it measures."""

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
    """Matched columns: their names, field -> position in the row, and field -> constant text. `format`: the tool that
    wrote the file, and `before`: how many rows come before the names. `names`: (field, id) -> the name in the file that
    stands for it, where the two differ by slashes. `newest_first`: the newest answers come first.
    `heads`: the rows of the header as they are in the file."""

    kind: Kind
    header: tuple[str, ...]
    places: Mapping[str, int]
    constants: Mapping[str, str]
    format: str | None = None
    before: int = 0
    names: Mapping[tuple[str, str], str] = member(default_factory=dict)
    newest_first: bool = False
    heads: tuple[tuple[str, ...], ...] = ()

    @property
    def doubtful_score(self) -> bool:
        """Whether the answers count as NPS though nothing says so: neither a survey type nor the score's column."""
        if self.kind != RESPONSES or "survey_type" in {*self.places, *self.constants} or "score" not in self.places:
            return False
        return not _PLAINLY_NPS.search(plain(self.header[self.places["score"]]))

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
    with `=text` as a constant for all rows and an empty name for a field that is not to be taken. Whether all is there
    that rows need, `missing` says.

    Raises ColumnError: unknown_field, unknown_column, ambiguous_column.
    """
    places: dict[str, int] = {}
    constants: dict[str, str] = {}
    wanted = _directed(kind, mapping)
    for field, name in wanted.items():
        if name.startswith("="):
            constants[field] = name[1:].strip()
        elif name:
            places[field] = _position(field, name, header)
    free = _free_columns(header, set(places.values()))
    for field, names in _synonyms(kind, {*wanted, *places}, free).items():
        if field not in wanted:
            place = _first_match(names, free)
            if place is not None and place not in places.values():
                places[field] = place
    if kind == ACCOUNTS and "account_id" not in wanted and "account_id" not in places and "name" in places:
        places["account_id"] = places["name"]
    if kind == RESPONSES and "survey_type" not in {*wanted, *places} and "score" in places:
        constants |= _metric(header[places["score"]])
    return Columns(kind, tuple(header), places, constants)


def _synonyms(kind: Kind, known: set[str], free: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
    """The names of the fields in this file."""
    names = SYNONYMS[kind]
    if kind != ACCOUNTS and ("email" in known or _first_match(names["email"], free) is not None):
        people = [name for name in names["stakeholder_id"] if name not in _NO_ID_BESIDE_AN_ADDRESS]
        return {**names, "stakeholder_id": people}
    return names


def _free_columns(header: Sequence[str], taken: set[int]) -> dict[str, int]:
    """Column name -> position; of several columns with one name the first."""
    free: dict[str, int] = {}
    for place, column in enumerate(header):
        if place not in taken:
            free.setdefault(plain(column), place)
    return free


def _first_match(names: Sequence[str], columns: Mapping[str, int]) -> int | None:
    for name in names:
        place = columns.get(plain(name))
        if place is not None:
            return place
    return None


def _directed(kind: str, mapping: Mapping[str, str]) -> Mapping[str, str]:
    found = directed(mapping, SYNONYMS[kind])
    if found is None:
        raise ColumnError(
            "unknown_field", "columns", f"fields of {kind} are {', '.join(SYNONYMS[kind])}, attributes.<name>"
        )
    return found


def _position(field: str, name: str, header: Sequence[str]) -> int:
    name = " ".join(name.split())
    places = [place for place, column in enumerate(header) if column == name]
    word = plain(name)
    if not places and word:
        places = [place for place, column in enumerate(header) if plain(column) == word]
    if not places:
        raise ColumnError("unknown_column", field, f"the file has no column of the name given for {field}")
    if len(places) > 1:
        raise ColumnError("ambiguous_column", field, f"the file has several columns of the name given for {field}")
    return places[0]


def _metric(score_column: str) -> dict[str, str]:
    """The survey type, where the score's column is called CSAT or CES."""
    for metric in ("csat", "ces"):
        if plain(score_column).startswith(metric):
            return {"survey_type": metric}
    return {}


def missing(columns: Columns) -> list[ColumnError]:
    """What no column says though every row needs it."""
    fields = {*columns.places, *columns.constants}
    found = []
    if "account_id" not in fields:
        found.append(_missing("account_id", "no column says the account; name it with columns"))
    if columns.kind != ACCOUNTS and not fields & {"stakeholder_id", "email"}:
        hint = "no column says the person (stakeholder_id or email); name it with columns"
        found.append(_missing("stakeholder_id", hint))
    if columns.kind == RESPONSES and "score" not in fields:
        found.append(_missing("score", "no column holds the score; name it with columns"))
    return found


def _missing(field: str, hint: str) -> ColumnError:
    return ColumnError("missing_column", field, hint)


def plain(name: str) -> str:
    """The name of a column without case, spaces and punctuation."""
    return _PUNCTUATION.sub("", name).casefold()

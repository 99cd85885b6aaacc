"""Files of other tools: which tool wrote one, which column is which field, and which rows are answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.collector.domain.columns import RESPONSES, SYNONYMS, Columns, Kind, match_columns
from services.collector.domain.mapping import directed

MAX_COLUMNS = 60
"""A record has at most 50 attributes."""
_ZONES: Final = {"Z": "UTC"}


@dataclass(frozen=True, slots=True)
class Format:
    """One tool's export. `recognised_by`: patterns of columns that all have to be there; patterns are of whole names.

    `columns`: field -> patterns, the best first. `constants`: field -> text. `words`: field -> what the tool says (in
    lower case) -> our word. `attributes`: a pattern whose group `name` is the attribute. `score_beside`: a pattern of a
    column that the tool puts beside a score, whose group `name` is the score's.
    `header_rows`: how many rows the header has; the first `named_by` of them say the names, without the words `unsaid`.
    `only`, `never`: column pattern -> values (in lower case) of rows that are answers, and of rows that are not.
    `last_of`: of rows that agree in this field only the last one counts. `by_email`: the tool's own number of a person
    counts only where there is no address. `footer`: lines of a single cell follow after the rows.
    `zone`: where its clocks are; `zone_in_header`: a pattern in the last header row, above the time of an answer, whose
    group `zone` says it; `midnight_is_24`: as in `DateReading`; `escaped`: formulas have an apostrophe before
    them, which is ours."""

    recognised_by: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    kind: Kind = RESPONSES
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    attributes: str | None = None
    score_beside: str | None = None
    header_rows: int = 1
    named_by: int = 1
    unsaid: frozenset[str] = frozenset()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    never: Mapping[str, frozenset[str]] = field(default_factory=dict)
    last_of: str | None = None
    by_email: bool = False
    footer: bool = False
    zone: str | None = None
    zone_in_header: str | None = None
    midnight_is_24: bool = False
    escaped: bool = False


NO_FORMAT: Final = Format(recognised_by=(), columns={})


def recognised(rows: Sequence[Sequence[str]], formats: Mapping[str, Format]) -> tuple[str, int] | None:
    """The tool whose columns are in one of the first rows of a file, and how many rows come before that one."""
    for before, row in enumerate(rows):
        for name, export in formats.items():
            if all(_named(pattern, row) for pattern in export.recognised_by):
                return name, before
    return None


def matched(name: str, export: Format, before: int, header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """The columns of a file of this tool; the importer's mapping has the last word, and a field whose column is missing
    is left to the usual names. Raises ColumnError."""
    chosen = directed(mapping, SYNONYMS[export.kind])
    if chosen is None:
        chosen = mapping
    columns = match_columns(export.kind, header, {**_of_format(export, header, chosen), **chosen})
    return Columns(export.kind, columns.header, columns.places, columns.constants, name, before)


def _of_format(export: Format, header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Field -> column as the tool has it."""
    columns = {field_name: f"={text}" for field_name, text in export.constants.items()}
    for field_name, patterns in export.columns.items():
        column = _first_named(field_name, patterns, header)
        if column is not None and column not in columns.values():
            columns[field_name] = column
    if export.score_beside is not None and "score" not in columns:
        columns |= _score_beside(export.score_beside, header)
    if "score" in columns and "score" not in chosen:
        columns.setdefault("survey_type", "=nps")
    taken = {*columns.values(), *chosen.values()}
    if export.attributes is not None:
        for column in header[:MAX_COLUMNS]:
            match = re.fullmatch(export.attributes, column)
            if match and column not in taken:
                columns[f"attributes.{match['name']}"] = column
    return columns


def _first_named(field_name: str, patterns: Sequence[str], header: Sequence[str]) -> str | None:
    """The first column of the first pattern; None where several could hold the score."""
    for pattern in patterns:
        found = _named(pattern, header)
        if len(found) > 1 and field_name == "score":
            return None
        if found:
            return found[0]
    return None


def _score_beside(pattern: str, header: Sequence[str]) -> dict[str, str]:
    found = [re.fullmatch(pattern, column) for column in header]
    names = [match["name"] for match in found if match is not None and match["name"] in header]
    if len(names) == 1:
        return {"score": names[0]}
    return {}


def _named(pattern: str, header: Sequence[str]) -> list[str]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return [column for column in header if compiled.fullmatch(" ".join(column.split()))]


def zone_of(export: Format, columns: Columns, head: Sequence[str]) -> str | None:
    """Where the clocks of the file are, as far as the tool or the last row of its header tells."""
    place = columns.places.get("answered_at")
    if export.zone_in_header is None or place is None or place >= len(head):
        return export.zone
    match = re.search(export.zone_in_header, head[place])
    if match is None:
        return export.zone
    return _ZONES.get(match["zone"], match["zone"])


@dataclass(frozen=True, slots=True)
class AnswerRows:
    """Which rows are answers: position of a column -> values of rows that are, and of rows that are not."""

    only: Mapping[int, frozenset[str]]
    never: Mapping[int, frozenset[str]]

    def has(self, cells: Sequence[str]) -> bool:
        """Whether a row is an answer."""
        for place, words in self.only.items():
            if cells[place].strip().casefold() not in words:
                return False
        return not any(cells[place].strip().casefold() in words for place, words in self.never.items())


def answer_rows(export: Format, header: Sequence[str]) -> AnswerRows:
    """The rule for a file of this tool."""
    return AnswerRows(_places(export.only, header), _places(export.never, header))


def _places(rules: Mapping[str, frozenset[str]], header: Sequence[str]) -> dict[int, frozenset[str]]:
    places: dict[int, frozenset[str]] = {}
    for pattern, values in rules.items():
        for place, column in enumerate(header):
            if _named(pattern, [column]):
                places[place] = values
    return places

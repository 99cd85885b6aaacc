"""Export formats of other tools: which column is which field, and which rows are answers.

Sources: docs/importing.md. Columns that a format does not know are matched by their usual names, and by the importer's
mapping.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from services.collector.domain.csv_values import HOUR_24, UNIX

MAX_COLUMNS = 60
"""A record has at most 50 attributes."""
FormatName = Literal["delighted", "formbricks", "posthog"]


@dataclass(frozen=True, slots=True)
class Format:
    """One tool's export of answers. `columns`: field -> names or patterns (whole column name), the best first.
    `attributes`: a pattern whose group `name` is the attribute. `only`: column pattern -> values (any case) of rows
    that are answers. `by_email`: the tool's own number of a person is ignored where there is an address, since no other
    system knows that number."""

    columns: Mapping[str, Sequence[str]]
    attributes: str | None = None
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    date_format: str | None = None
    by_email: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "delighted": Format(
        columns={
            "response_id": ("id", "response id"),
            "email": ("person_email", r"person\.email", "email"),
            "account_id": (
                r"person_properties\.account_id",
                r"person_properties\.company(_id)?",
                r"person_properties\.Company",
                "account_id",
                "company",
            ),
            "survey_type": ("survey_type",),
            "score": ("score",),
            "comment": ("comment",),
            "answered_at": ("created_at",),
        },
        attributes=r"person_properties\.(?P<name>.+)",
        date_format=UNIX,
        by_email=True,
    ),
    "formbricks": Format(
        columns={
            "response_id": ("Response ID", "submission_id"),
            "answered_at": ("Timestamp", "collected_at"),
            "survey_id": ("Survey ID",),
            "stakeholder_id": ("User ID",),
            "email": ("Verified Email", r"person\.email", "email"),
            "account_id": (r"person\.(account_id|company|companyId)", "account_id", "companyId", "company"),
            "language": (r"person\.language", "language"),
            "score": ("value_number",),
            "comment": ("value_text",),
        },
        attributes=r"person\.(?P<name>.+)",
        date_format=HOUR_24,
    ),
    "posthog": Format(
        columns={
            "response_id": (r"(\*\.)?properties\.\$survey_submission_id", r"(\*\.)?uuid", r"(\*\.)?id"),
            "answered_at": (r"(\*\.)?timestamp",),
            "survey_id": (r"(\*\.)?properties\.\$survey_id",),
            "stakeholder_id": (r"(\*\.)?distinct_id",),
            "email": (r"(\*\.)?(person\.)?properties\.email", r"person\.email"),
            "account_id": (
                r"(\*\.)?properties\.\$groups\.(company|organization|account)",
                r"(\*\.)?properties\.\$group_0",
                r"(\*\.)?properties\.company(_id)?",
            ),
            "language": (r"(\*\.)?properties\.\$survey_language",),
            "score": (r"(\*\.)?properties\.\$survey_response",),
            "comment": (r"(\*\.)?properties\.\$survey_response_1",),
        },
        only={
            r"(\*\.)?event": frozenset({"survey sent"}),
            r"(\*\.)?properties\.\$survey_completed": frozenset({"true", "1", ""}),
        },
    ),
}


def format_mapping(name: str, header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """The importer's mapping (field -> column) with the format's columns in this header added. A field whose column the
    header lacks is left to the usual names."""
    export = FORMATS[name]
    columns: dict[str, str] = {}
    for field_name, patterns in export.columns.items():
        column = _first_match(patterns, header)
        if column is not None and column not in columns.values():
            columns[field_name] = column
    if export.by_email and "email" in columns:
        columns["stakeholder_id"] = ""
    if name == "delighted":
        columns["survey_id"] = "=delighted"  # its ids are numbers, and the file names no survey
    taken = {*columns.values(), *mapping.values()}
    if export.attributes is not None:
        for column in header[:MAX_COLUMNS]:
            match = re.fullmatch(export.attributes, column)
            if match and column not in taken:
                columns[f"attributes.{match['name']}"] = column
    return columns | dict(mapping)


def _first_match(patterns: Sequence[str], header: Sequence[str]) -> str | None:
    for pattern in patterns:
        for column in header:
            if _is(pattern, column):
                return column
    return None


def answer_rows(name: str, header: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Position of a column -> its values in rows that are answers; other rows are skipped."""
    only: dict[int, tuple[str, ...]] = {}
    for pattern, values in FORMATS[name].only.items():
        for place, column in enumerate(header):
            if _is(pattern, column):
                only[place] = tuple(sorted(values))
    return only


def _is(pattern: str, column: str) -> bool:
    return re.fullmatch(pattern, column.strip(), re.IGNORECASE) is not None

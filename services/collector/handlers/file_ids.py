"""Ids in files: the plain numbers of a survey tool begin anew with each survey, so they are ids within their survey."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from services.collector.domain.columns import Columns
from services.collector.domain.rows import RowError
from shared.ids import MAX_ID_LENGTH, derived_uuid

LOOKED_AT: Final = 1_000
"""Rows that are looked at before anything is stored."""
_SMALL: Final = re.compile(r"[0-9]{1,9}")
_OWN: Final = frozenset({"response_id", "revision", "recorded_at", "updated_at"})
NEEDED: Final = (
    "the ids are small numbers, which another survey has as well: name the survey with columns, such as survey_id==2026"
)


def is_own_export(header: Sequence[str]) -> bool:
    """Whether the file is an export of responses by Tellback itself: its ids are ours already."""
    return _OWN.issubset(header)


def with_survey(values: dict[str, Any], header: Sequence[str]) -> None:
    """Put the survey before a `response_id` that is a number below 10⁹; other ids stay as they are. Raises `RowError`
    where the row names no survey."""
    response_id = str(values.get("response_id", ""))
    if _SMALL.fullmatch(response_id) is None or is_own_export(header):
        return
    survey_id = values.get("survey_id")
    if survey_id is None:
        raise RowError("survey_needed", "response_id", NEEDED)
    joined = f"{survey_id}:{response_id}"
    if len(joined) > MAX_ID_LENGTH or "/" in joined:
        joined = str(derived_uuid("survey", str(survey_id), response_id))
    values["response_id"] = joined


def survey_is_missing(columns: Columns, rows: Iterable[Sequence[str]]) -> bool:
    """Whether one of the rows has such an id and names no survey."""
    place = columns.places.get("response_id")
    if place is None or columns.constants.get("survey_id") or is_own_export(columns.header):
        return False
    survey = columns.places.get("survey_id")
    for cells in rows:
        named = survey is not None and cells[survey].strip()
        if not named and _SMALL.fullmatch(cells[place].strip()):
            return True
    return False

"""Ids in files: the plain numbers of a survey tool begin anew with each survey, so they are ids within their survey."""

import re
from collections.abc import Sequence
from typing import Any, Final

from services.collector.domain.columns import Columns
from services.collector.domain.rows import RowError
from shared.ids import MAX_ID_LENGTH, derived_uuid

LOOKED_AT: Final = 1_000
"""Rows that are looked at before anything is stored."""
_SMALL: Final = re.compile(r"[0-9]{1,9}")
_OWN: Final = "tellback"
"""The format of our own exports: their ids are those of answers here already."""
NEEDED: Final = (
    "the ids are small numbers, which another survey has as well: name the survey with columns, such as survey_id==2026"
)


def with_survey(values: dict[str, Any], columns: Columns) -> None:
    """Put the survey before a `response_id` that is a number below 10⁹; other ids stay as they are. Raises `RowError`
    where the row names no survey."""
    response_id = str(values.get("response_id", ""))
    if _SMALL.fullmatch(response_id) is None or columns.format == _OWN:
        return
    survey_id = values.get("survey_id")
    if survey_id is None:
        raise RowError("survey_needed", "response_id", NEEDED)
    joined = f"{survey_id}:{response_id}"
    if len(joined) > MAX_ID_LENGTH or "/" in joined:
        joined = str(derived_uuid("survey", str(survey_id), response_id))
    values["response_id"] = joined


def survey_is_missing(columns: Columns, cells: Sequence[str]) -> bool:
    """Whether a row has such an id and names no survey."""
    place = columns.places.get("response_id")
    if place is None or columns.constants.get("survey_id") or columns.format == _OWN:
        return False
    survey = columns.places.get("survey_id")
    if survey is not None and cells[survey].strip():
        return False
    return _SMALL.fullmatch(cells[place].strip()) is not None

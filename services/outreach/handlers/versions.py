"""Published versions of surveys, parsed once: a version never changes."""

from collections.abc import Mapping
from typing import Any

from services.outreach.domain.documents import survey_from
from services.outreach.domain.surveys import Survey
from services.outreach.store.answers import version_document
from shared.db.transaction import ReadTx

MOST = 200
"""Versions that are remembered; the one read first is forgotten for a further one."""


class Versions:
    """The versions that this process has read."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, int], Survey] = {}

    async def get(self, tx: ReadTx, survey_id: str, version: int) -> Survey:
        """The survey as it was published. Raises LookupError for a version that does not exist."""
        survey = self._read.get((survey_id, version))
        if survey is None:
            survey = _parsed(await version_document(tx, survey_id, version))
            if len(self._read) >= MOST:
                self._read.pop(next(iter(self._read)))
            self._read[survey_id, version] = survey
        return survey


def _parsed(document: Mapping[str, Any] | None) -> Survey:
    if document is None:
        raise LookupError("an ask names a version of a survey that does not exist")
    return survey_from(document)

"""Published versions of surveys, parsed once: a version never changes."""

from services.outreach.domain.surveys import Survey
from services.outreach.store.surveys import find_version
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
            published = await find_version(tx, survey_id, version)
            if published is None:
                raise LookupError("an ask names a version of a survey that does not exist")
            survey = published.survey
            if len(self._read) >= MOST:
                self._read.pop(next(iter(self._read)))
            self._read[survey_id, version] = survey
        return survey

"""The draft that somebody edits: what they typed, saved by each field they leave, and never lost to somebody else's
change."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.dashboard.domain import surveys as steps
from services.dashboard.domain.survey_texts import Document, Path
from services.dashboard.web.section import Visit
from services.dashboard.web.sentences import sentence_of
from shared.api.calls import CHANGE_SURVEY
from shared.api.questions import SURVEY
from shared.api.surveys import Survey
from shared.errors import Conflict, Invalid, TellbackError
from shared.http.client import Api
from shared.http.problem import FieldError

SAVED = "Saved. Only publishing changes what customers read."
CONFLICT = "Somebody else has changed this survey meanwhile. What you typed is still here."


class Draft:
    """A survey, and the document as this person has changed it. `on_change` draws what depends on what was saved."""

    def __init__(self, visit: Visit, survey_id: str) -> None:
        self.survey_id = survey_id
        self.status, self.is_bad, self.is_stale = "", False, False
        self.refused: list[FieldError] = []
        self.on_change: list[Callable[[], None]] = []
        self._visit = visit
        self._survey: Survey | None = None
        self._document: Document = {}
        self._dirty, self._loaded = False, 0
        self._turn = asyncio.Lock()

    @property
    def survey(self) -> Survey:
        """The survey as it was loaded or saved last."""
        if self._survey is None:
            raise LookupError("the survey is not loaded yet")
        return self._survey

    @property
    def document(self) -> Document:
        """The draft as it was typed."""
        return self._document

    async def load(self, api: Api) -> str:
        """Load the survey, unless something was typed that is not saved yet. Returns what differs where the form must
        be drawn anew. Raises as `Api.ask`."""
        found = await api.ask(SURVEY, survey_id=self.survey_id)
        if self._survey is None or (found.revision > self._survey.revision and not self._dirty):
            self._take(found)
            self._changed()
        return f"{self.survey_id} {self._loaded}"

    def _take(self, found: Survey) -> None:
        self._survey, self._dirty = found, False
        self._document = found.draft.model_dump(mode="json")
        self._loaded = found.revision

    def put(self, path: Path, value: Any) -> None:
        """Note a value that was typed; it is saved when its field is left."""
        self.replace(steps.changed(self._document, path, value))

    def replace(self, document: Document) -> None:
        """Note another document; it is saved by `save`."""
        self._document, self._dirty = document, True

    async def save(self) -> bool:
        """Save what was typed; returns whether nothing is left to save."""
        async with self._turn:
            if self._dirty:
                await self._save(self.survey.revision)
                self._changed()
        return not self._dirty

    async def keep_mine(self) -> None:
        """Save what was typed over what somebody else saved."""
        await self._after_theirs(self._save_over)

    async def take_theirs(self) -> None:
        """Give up what was typed for what somebody else saved."""
        await self._after_theirs(self._give_up)

    async def _after_theirs(self, work: Callable[[Survey], Any]) -> None:
        async with self._turn:
            try:
                await work(await (await self._visit.api()).ask(SURVEY, survey_id=self.survey_id))
            except TellbackError as error:
                self._say(f"{sentence_of(error)}. What you typed is still here.", bad=True)
        self._changed()

    async def _save_over(self, theirs: Survey) -> None:
        self.is_stale = False
        await self._save(theirs.revision)

    async def _give_up(self, theirs: Survey) -> None:
        self.is_stale = False
        self._take(theirs)
        self._say("This is what the other person saved.", bad=False)

    async def _save(self, revision: int) -> None:
        sent = self._document
        self.refused = []
        try:
            api = await self._visit.api()
            self._survey = await api.call(CHANGE_SURVEY, sent | {"revision": revision}, survey_id=self.survey_id)
        except Conflict:
            self.is_stale = True
            self._say(CONFLICT, bad=True)
        except Invalid as error:
            self.refused = [FieldError.model_validate(fault) for fault in error.errors or ()]
            self._say("Not saved yet: see the checks. What you typed is still here.", bad=True)
        except TellbackError as error:
            self._say(f"Not saved yet: {sentence_of(error)}. What you typed is still here.", bad=True)
        else:
            self._dirty = self._document is not sent
            self._say(SAVED, bad=False)

    def _say(self, sentence: str, *, bad: bool) -> None:
        self.status, self.is_bad = sentence, bad

    def _changed(self) -> None:
        for draw in self.on_change:
            draw()

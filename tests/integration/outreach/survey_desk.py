"""Outreach with its surveys in a test's hands, and a survey that can be published as it is."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from services.outreach.app import build
from shared.db.engine import Database
from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.http import api_key, bearer, running

NOW = datetime(2026, 6, 8, 10, tzinfo=UTC)
LEGAL = {
    "legal_name": "Fast Freight Ltd",
    "postal_address": "1 Dock Road, Hull",
    "imprint_url": "https://fastfreight.example/imprint",
    "privacy_url": "https://fastfreight.example/privacy",
}
TEXTS: dict[str, Any] = {
    "score": {"text": "How likely are you to recommend {us}?", "low": "Not at all", "high": "Extremely"},
    "reasons": {"promoter": "What do you value?", "passive": "What is missing?", "detractor": "What went wrong?"},
    "questions": {"reliability": {"text": "How reliable are we?", "low": "Not at all", "high": "Very"}},
    "thanks": {"promoter": "Thank you.", "passive": "Thank you.", "detractor": "Thank you for being frank."},
    "buttons": {"send": "Send {score}", "next": "Next", "finish": "That is all"},
    "call": "May a leader call you?",
    "consent": "May we quote you?",
    "who_reads": "Your account manager reads your answer with your name.",
    "mail": {
        "subject": "How are we doing?",
        "preheader": "One question",
        "intro": "Please tell us.",
        "sign_off": "Thank you",
        "reminder_subjects": ["Still one question"],
    },
    "fallbacks": {"us": "our company"},
    "reviewed_by": "Ada",
}
READY: dict[str, Any] = {
    "name": "Relationship survey",
    "metric": "nps",
    "nps_kind": "relationship",
    "questions": [{"question_id": "reliability", "type": "rating", "attribute": "reliability"}],
    "texts": {"en": TEXTS},
    "legal": LEGAL,
}


def worded(text: str, language: str = "en") -> dict[str, Any]:
    """The texts with another scored question."""
    texts = deepcopy(TEXTS)
    texts["score"]["text"] = text
    return {language: texts}


@dataclass(frozen=True)
class SurveyDesk:
    """A running outreach and the key of one who calls it."""

    environment: Environment
    client: httpx.AsyncClient
    clock: FrozenClock

    async def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer that has this status."""
        answer = await self.client.request(method, f"/v1/surveys{path}", **options)
        assert answer.status_code == status, answer.text
        if not answer.content:
            return None
        return answer.json()

    async def begun(self, **fields: Any) -> Any:
        """A new draft that could be published, but for the `fields` that differ."""
        return await self.call("POST", "", 201, json=READY | fields)

    async def published(self, **fields: Any) -> str:
        """The id of a new survey that is published."""
        survey_id: str = (await self.begun(**fields))["survey_id"]
        await self.call("POST", f"/{survey_id}/publish")
        return survey_id

    async def with_key(self, *scopes: str, owner_email: str | None = None) -> Mapping[str, str]:
        """The header of another key."""
        return bearer(await api_key(self.environment, scopes, owner_email))

    async def number(self, sql: str) -> int:
        """A number out of the database."""
        database = Database(self.environment.database_url, "outreach", pool_size=1)
        try:
            async with database.read() as tx:
                return int(await tx.scalar(sql) or 0)
        finally:
            await database.close()


@contextlib.asynccontextmanager
async def survey_desk(environment: Environment) -> AsyncIterator[SurveyDesk]:
    """Outreach with a key that may do everything; the clock stands still."""
    clock = FrozenClock(NOW)
    async with running(build(environment.common, clock)) as client:
        client.headers.update(bearer(await api_key(environment, ["read", "act", "manage"])))
        yield SurveyDesk(environment, client, clock)

"""Asks some of the demo's people by links: one answers on the page, one is left to whoever tries Tellback, a client
gets a business review, an account manager the survey as a test mail, and a programme asks by mail. Everything goes
through the API and the page, as people would do it."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.cli.demo.cast import OWNERS
from services.cli.demo.programme import Programme
from services.cli.demo.story import HERO, Item
from shared.demo import SURVEYS as SURVEYS_OF_DEMO
from shared.errors import Conflict, Invalid, TellbackError, Unavailable

if TYPE_CHECKING:
    from shared.api.asks import LinkRow
    from shared.http.client import Api

REVIEWED = "ironbridge"
"""The client whose business review is sent round."""
RECIPIENTS = 2
LEGAL = {
    "legal_name": "Supplier Ltd",
    "postal_address": "1 Example Road, 00000 Example",
    "imprint_url": "https://supplier.example/imprint",
    "privacy_url": "https://supplier.example/privacy",
}
WHY = "The demo asks although some were asked this quarter."
STEPS: tuple[dict[str, str], ...] = (
    {"step": "score", "score": "9"},
    {"step": "reason", "reason": "promoter", "comment": "They call before there is a problem."},
    {"step": "details", "q.trust": "5", "q.value": "4", "call": "no", "finished": "yes"},
)
SECONDS, WAIT_SECONDS = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom the demo has asked: the link left to the hero, and how many people a programme mails."""

    link: str | None = None
    mailed: int = 0


class Asking:
    """Surveys, links and a business review of a deployment."""

    def __init__(self, api: "Api") -> None:
        self._api = api

    async def begin(self) -> Asked:
        """Ask the hero of the demo and the colleagues. Nobody where somebody has asked before, or where outreach does
        not run: a deployment may do without it."""
        from shared.api.questions import SURVEYS
        from shared.http.client import Away

        try:
            if (await self._api.ask(SURVEYS)).items:
                return Asked()
        except Away:
            return Asked()
        survey_id = await self._published("relationship")
        links = await self._links(survey_id)
        for row in links:
            if row.stakeholder_id != HERO[1]:
                await _answer(str(row.url))
                break
        await self._review(await self._published("review"))
        mailed = 0
        if await self._send_test(survey_id):
            mailed = await Programme(self._api).begin(await self._published("project"))
        for row in links:
            if row.stakeholder_id == HERO[1]:
                return Asked(row.url, mailed)
        return Asked(None, mailed)

    async def _published(self, template: str) -> str:
        """The id of a survey made from a template."""
        from shared.api.calls import BEGIN_SURVEY, PUBLISH_SURVEY

        wanted = {"template": template, "name": f"{SURVEYS_OF_DEMO}{template}", "us": "Supplier", "legal": LEGAL}
        begun = await self._api.call(BEGIN_SURVEY, wanted)
        await self._api.call(PUBLISH_SURVEY, survey_id=begun.survey_id)
        return begun.survey_id

    async def _links(self, survey_id: str) -> "list[LinkRow]":
        """Links for everybody at the hero's account, once outreach knows whom others have asked."""
        from shared.api.calls import MAKE_LINKS
        from shared.http.client import Away

        wanted = {"filter": {"account_id": HERO[0]}, "override_quarantine": WHY}
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                made = await self._api.call(MAKE_LINKS, wanted, survey_id=survey_id)
            except Away as away:
                if time.monotonic() > deadline:
                    raise Unavailable("outreach_behind", f"outreach makes no links yet: {away.reason}") from None
            else:
                return [row for row in made.items if row.url is not None]
            await asyncio.sleep(0.2)

    async def _send_test(self, survey_id: str) -> bool:
        """Send the first survey to an account manager, to be looked at. False where there is no relay, or it is a real
        one: mails in the name of the demo's supplier go nowhere but to that of `up --demo`."""
        from shared.api.calls import SEND_TEST

        name, email = OWNERS[0]
        try:
            await self._api.call(SEND_TEST, {"email": email, "name": name}, survey_id=survey_id)
        except (Conflict, Invalid):
            return False
        return True

    async def _review(self, survey_id: str) -> None:
        """Send a client's review round to its first people."""
        from shared.api.calls import MAKE_REVIEW
        from shared.api.questions import STAKEHOLDERS

        people = await self._api.ask(STAKEHOLDERS, account_id=REVIEWED, limit=RECIPIENTS)
        wanted: Item = {
            "account_id": REVIEWED,
            "survey_id": survey_id,
            "held_on": datetime.now(UTC).date().isoformat(),
            "intro": "Thank you for the talk. Here is what we showed you.",
            "recipients": [{"stakeholder_id": person.stakeholder_id} for person in people.items],
        }
        await self._api.call(MAKE_REVIEW, wanted)


async def _answer(url: str) -> None:
    """Answer on the page behind a link, step by step."""
    import httpx

    async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as browser:
        for step in STEPS:
            answer = await browser.post(url, data={"lang": "en", **step})
            if answer.status_code != httpx.codes.SEE_OTHER:
                raise TellbackError("demo_refused", f"the page took no answer: {answer.status_code}")

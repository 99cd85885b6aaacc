"""A programme of the demo: people whose project has just ended are asked by mail. It is armed only where the mails go
to the relay of `up --demo`, which sends none on."""

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.cli.demo.story import HERO, Item
from shared.errors import Unavailable

if TYPE_CHECKING:
    from shared.http.client import Api

ACCOUNT = HERO[0]
TEAM = (
    ("Nils Ekman", "Terminal Manager", "lead"),
    ("Ada Kowal", "Integration Engineer", "staff"),
)
"""Nobody has asked them before, so no quarantine holds them: name, job title, job level."""
PROGRAMMES = "/v1/programmes"
WAIT_SECONDS = 30.0


class Programme:
    """Asks the people of a project at its end."""

    def __init__(self, api: "Api") -> None:
        self._api = api

    async def begin(self, survey_id: str) -> int:
        """End a project, and let a programme ask its people once the dry-run finds them; returns how many."""
        people = [_person(*of_the_team) for of_the_team in TEAM]
        await self._api.post("collector", "/v1/directory/batch", {"stakeholders": people})
        for person in people:
            await self._api.post("collector", "/v1/context-events", _end_of_project(person["stakeholder_id"]))
        made = await self._api.post("outreach", PROGRAMMES, _document(survey_id))
        path = f"{PROGRAMMES}/{made['programme_id']}"
        await self._look(path, len(people))
        await self._api.post("outreach", f"{path}/start")
        return len(people)

    async def _look(self, path: str, people: int) -> None:
        """Wait until the programme would ask everybody: outreach reads what the collector takes in."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            found = await self._api.post("outreach", f"{path}/dry-run")
            if found["would_ask"] >= people:
                return
            if time.monotonic() > deadline:
                raise Unavailable("outreach_behind", f"the programme would ask {found['would_ask']} of {people} people")
            await asyncio.sleep(0.2)


def _person(name: str, job_title: str, job_level: str) -> Item:
    address = f"{name.replace(' ', '.').lower()}@{ACCOUNT}.example"
    return {
        "account_id": ACCOUNT,
        "stakeholder_id": address,
        "email": address,
        "name": name,
        "type": "user",
        "job_title": job_title,
        "job_level": job_level,
    }


def _end_of_project(stakeholder_id: str) -> Item:
    return {
        "account_id": ACCOUNT,
        "stakeholder_id": stakeholder_id,
        "kind": "project_completed",
        "at": datetime.now(UTC).isoformat(),
        "label": "The new terminal is connected",
    }


def _document(survey_id: str) -> Item:
    """Mails go at any hour: whoever tries Tellback on a Sunday sees them too."""
    return {
        "name": "After a project",
        "survey_id": survey_id,
        "when": {"type": "event", "kind": "project_completed"},
        "who": {"account_id": ACCOUNT},
        "hours": {"days": [0, 1, 2, 3, 4, 5, 6], "first_days": [], "opens": 0, "closes": 24},
    }

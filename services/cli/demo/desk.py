"""Works on the demo's follow-ups, so that there are some in every state: some closed with what was done, some closed by
the facts, one whose reason no longer holds. Everything goes through the API, as people and answers would."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from services.cli.demo.story import Item

if TYPE_CHECKING:
    from shared.http.client import Api

FOLLOW_UPS = "/v1/follow-ups"
QUIET_SECONDS, WAIT_SECONDS = 1.0, 30.0
LATE = timedelta(minutes=1)
"""How soon a follow-up of the demo is due: the API takes no due time in the past, and within a minute it is overdue."""
CLOSINGS: tuple[Item, ...] = (
    {"outcome": "resolved", "root_cause": "late deliveries", "what_was_done": "New carrier", "told_customer": True},
    {"outcome": "resolved", "root_cause": "support", "what_was_done": "A fixed contact", "told_customer": True},
    {"outcome": "dismissed", "comment": "Answered about another supplier."},
)


class Desk:
    """The follow-ups of a deployment and the people who work on them."""

    def __init__(self, api: "Api") -> None:
        self._api = api

    async def live_in(self, detractors: int) -> None:
        """Work on some of the follow-ups, once those of half the detractors are open (a burst counts as several). Does
        nothing where people have closed follow-ups before."""
        tasks = await self._settled(detractors // 2)
        if any(task["closed_by"] == "person" for task in await self._list(state="closed")):
            return
        mine = iter([task for task in tasks if task["kind"] == "detractor" and task["stakeholder_id"]])
        steps: list[tuple[str, Item]] = [
            ("acknowledge", {"comment": "Calling this afternoon."}),
            ("start", {"comment": "Spoke to them; more on Friday."}),
            ("promise", {"what": "A plan for the deliveries", "by": _ahead(timedelta(days=5))}),
            ("snooze", {"until": _ahead(timedelta(days=3)), "comment": "On holiday."}),
            *(("close", closing) for closing in CLOSINGS),
        ]
        for (step, body), task in zip(steps, mine, strict=False):
            await self._step(task, step, body)
        for touched, task in zip((True, False), mine, strict=False):
            if touched:
                await self._step(task, "acknowledge", {})
            await self._answer_better(task)
        for task in tasks[:2]:
            wanted = {"account_id": task["account_id"], "reason": "Asked for the new price list.", "kind": "manual"}
            await self._api.post("alerting", FOLLOW_UPS, wanted | {"due_at": _ahead(LATE)})

    async def _answer_better(self, task: Item) -> None:
        """Post a better answer of the follow-up's person."""
        answer = {
            "response_id": f"again-{task['response_id']}",
            "account_id": task["account_id"],
            "stakeholder_id": task["stakeholder_id"],
            "survey_type": "nps",
            "nps_kind": "relationship",
            "score": 9,
            "comment": "You have turned it around.",
        }
        await self._api.post("collector", "/v1/responses", answer)

    async def _settled(self, detractors: int) -> list[Item]:
        """The open follow-ups, once enough of them are about detractors and no more are opened."""
        deadline = time.monotonic() + WAIT_SECONDS
        before: list[Item] | None = None
        while time.monotonic() < deadline:
            found = await self._list()
            enough = sum(task["kind"] == "detractor" for task in found) >= detractors
            if enough and before is not None and len(found) == len(before):
                return found
            before = found
            await asyncio.sleep(QUIET_SECONDS)
        return before or []

    async def _list(self, state: str = "open,acknowledged,in_progress,snoozed") -> list[Item]:
        page = await self._api.get("alerting", FOLLOW_UPS, state=state, limit=200)
        return sorted(page["items"], key=lambda task: (task["account_id"], task["kind"], task["stakeholder_id"] or ""))

    async def _step(self, task: Item, step: str, body: Item) -> None:
        await self._api.post("alerting", f"{FOLLOW_UPS}/{task['follow_up_id']}/{step}", body)


def _ahead(span: timedelta) -> str:
    return (datetime.now(UTC) + span).isoformat()

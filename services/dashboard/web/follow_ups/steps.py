"""The actions on a follow-up, each a button and, where it needs input, a dialog."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from services.dashboard.domain import follow_ups as told
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.section import Visit
from shared.api.calls import ACKNOWLEDGE, ASSIGN, CLOSE, COMMENT, PROMISE, REOPEN, SNOOZE, START
from shared.api.follow_ups import FollowUpDetail
from shared.api.questions import FOLLOW_UP_SUMMARY
from shared.errors import TellbackError
from shared.http.client import Call

OUTCOMES = {"resolved": "Resolved", "dismissed": "Dismissed: nothing to do"}
SNOOZES = {"1": "Until tomorrow", "3": "For three days", "7": "For a week", "30": "For a month"}
GROWTH = ("new_promoter", "recovered")
"""Kinds of follow-ups that are chances to grow: closing one asks for its result."""


class Steps:
    """The buttons of one follow-up. Every action names the version that was shown, so that nobody undoes a change of
    somebody else."""

    def __init__(self, visit: Visit, follow_up_id: str) -> None:
        self._visit, self._id = visit, follow_up_id
        self._version = 0
        self._kind = ""

    def draw(self, follow_up: FollowUpDetail) -> None:
        """Draw the buttons that the state allows; none for people who may only read."""
        self._version, self._kind = follow_up.version, follow_up.kind
        if not self._visit.user.may("act"):
            Text("p", "Your role reads follow-ups; leaders and account managers act on them.", "muted")
            return
        with box("div", "buttons steps-row"):
            if follow_up.state != "closed" and not follow_up.reason_holds:
                values = {"outcome": follow_up.proposed_outcome}
                words = f"Close: {told.outcome(follow_up.proposed_outcome or '')}"
                button(words, partial(self._send, CLOSE, values, "Closed"), "main")
            if follow_up.state == "closed":
                button("Reopen", self._plain(REOPEN, "Reopened"), "main")
            else:
                if follow_up.state in ("open", "snoozed"):
                    button("Take it on", self._plain(ACKNOWLEDGE, "Acknowledged"), "main")
                if follow_up.state == "in_progress":
                    button("Close", self._close, "main")
                else:
                    button("Start", self._plain(START, "Started"))
                    button("Close", self._close)
                button("Promise", self._promise)
                if "@" in self._visit.user.email and follow_up.owner.email != self._visit.user.email:
                    button("Assign to me", self._take)
                button("Assign", self._assign)
                button("Snooze", self._snooze)
            button("Comment", self._comment)

    def _plain(self, step: Call[FollowUpDetail], done: str) -> Callable[[], Any]:
        async def act() -> None:
            await self._send(step, {}, done)

        return act

    async def _send(self, step: Call[FollowUpDetail], values: Values, done: str) -> bool:
        async def work() -> None:
            api = await self._visit.api()
            await api.call(step, values | {"version": self._version}, follow_up_id=self._id)

        worked = await attempt(work(), done)
        await self._visit.refresh()
        return worked

    async def _close(self) -> None:
        causes = await self._causes()

        def fill(fields: Fields) -> None:
            fields.choice("outcome", "How it ended", OUTCOMES)
            fields.suggested("root_cause", "Root cause, in a word or two", causes)
            fields.text("what_was_done", "What was done", long=True)
            if self._kind in GROWTH:
                fields.text("result", "What came of it: a referral, a story, an order")
            fields.tick("told_customer", "The customer was told")

        ask("Close the loop", fill, lambda values: self._send(CLOSE, values, "Closed"), "Close it")

    def _promise(self) -> None:
        def fill(fields: Fields) -> None:
            fields.text("what", "What was promised", long=True)
            fields.instant("by", "By when")

        ask("What was promised", fill, lambda values: self._send(PROMISE, values, "Saved"), "Save promise")

    async def _causes(self) -> list[str]:
        """Causes used before, to be suggested: the same cause should have one name."""
        try:
            summary = await (await self._visit.api()).ask(FOLLOW_UP_SUMMARY, group_by="root_cause")
        except TellbackError:
            return []
        causes = (group.group["root_cause"] for group in summary.groups)
        return sorted(cause for cause in causes if cause)

    async def _take(self) -> None:
        user = self._visit.user
        await self._send(ASSIGN, {"owner": {"email": user.email, "name": user.name}}, "Assigned to you")

    async def _assign(self) -> None:
        everybody = await self._visit.resources.desk.everybody()
        acting = {}
        for person in everybody:
            if person.may("act") and not person.disabled and "@" in person.email:
                acting[person.email] = person.name

        def fill(fields: Fields) -> None:
            fields.suggested("email", "E-mail of the new owner", acting, kind="email")
            fields.text("name", "Name, if they do not sign in here")

        async def send(values: Values) -> bool:
            owner = dict(values)
            if known := acting.get(values.get("email", "")):
                owner.setdefault("name", known)
            return await self._send(ASSIGN, {"owner": owner}, "Reassigned")

        ask("Reassign the follow-up", fill, send, "Reassign")

    def _snooze(self) -> None:
        def fill(fields: Fields) -> None:
            fields.choice("days", "How long", SNOOZES)
            fields.instant("until", "Or until")
            fields.text("comment", "Why")

        async def send(values: Values) -> bool:
            values = dict(values)
            days = int(values.pop("days"))
            if "until" not in values:
                values["until"] = (self._visit.now + timedelta(days=days)).isoformat()
            return await self._send(SNOOZE, values, "Snoozed")

        ask("Snooze", fill, send, "Snooze")

    def _comment(self) -> None:
        async def send(values: Values) -> bool:
            if "comment" not in values:
                return await attempt(refuse("Write something first."), "")
            return await self._send(COMMENT, values, "Added")

        ask("Add a comment", lambda fields: fields.text("comment", "Comment", long=True), send, "Add comment")

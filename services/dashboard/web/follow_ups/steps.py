"""What can be done about a follow-up, each a button and, where something must be said, a dialog."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services.dashboard.web.bits import Text, box
from services.dashboard.web.controls import Fields, ask, attempt, button
from services.dashboard.web.section import Visit
from shared.errors import Invalid

Json = dict[str, Any]
OUTCOMES = {"resolved": "Resolved", "answered": "Answered", "dismissed": "Dismissed: nothing to do"}
SNOOZES = {"1": "Until tomorrow", "3": "For three days", "7": "For a week", "30": "For a month"}


class Steps:
    """The buttons of one follow-up. Every step names the version that was seen, so that nobody undoes another's."""

    def __init__(self, visit: Visit, path: str) -> None:
        self._visit, self._path = visit, path
        self._version = 0

    def draw(self, one: Json) -> None:
        """The buttons that its state allows; none for those who only read."""
        self._version = one["version"]
        if not self._visit.user.may("act"):
            Text("p", "Your role reads follow-ups; leaders and account managers act on them.", "muted")
            return
        with box("div", "buttons steps-row"):
            if one["state"] == "closed":
                button("Open it again", self._plain("reopen", "It is open again"), "main")
            else:
                if one["state"] in ("open", "snoozed"):
                    button("Take it on", self._plain("acknowledge", "It is yours to do"), "main")
                if one["state"] != "in_progress":
                    button("Begin", self._plain("start", "Begun"))
                button("Close", self._close, "main" if one["state"] == "in_progress" else "")
                button("Promise", self._promise)
                button("Assign", self._assign)
                button("Snooze", self._snooze)
            button("Comment", self._comment)

    def _plain(self, step: str, done: str) -> Callable[[], Any]:
        async def act() -> None:
            await self._send(step, {}, done)

        return act

    async def _send(self, step: str, values: Json, done: str) -> bool:
        async def work() -> None:
            api = await self._visit.api()
            await api.post("alerting", f"{self._path}/{step}", values | {"version": self._version})

        worked = await attempt(work(), done)
        await self._visit.refresh()
        return worked

    def _close(self) -> None:
        def fill(fields: Fields) -> None:
            fields.choice("outcome", "How it ended", OUTCOMES)
            fields.text("root_cause", "Root cause, in a word or two")
            fields.text("what_was_done", "What was done", long=True)
            fields.tick("told_customer", "The customer was told")

        ask("Close the loop", fill, lambda values: self._send("close", values, "Closed"), "Close it")

    def _promise(self) -> None:
        def fill(fields: Fields) -> None:
            fields.text("what", "What was promised", long=True)
            fields.instant("by", "By when")

        ask("What was promised", fill, lambda values: self._send("promise", values, "Written down"), "Write it down")

    def _assign(self) -> None:
        def fill(fields: Fields) -> None:
            fields.text("email", "E-mail of the new owner", kind="email")
            fields.text("name", "Name")

        async def send(values: Json) -> bool:
            return await self._send("assign", {"owner": values}, "Handed over")

        ask("Hand it over", fill, send, "Hand over")

    def _snooze(self) -> None:
        async def send(values: Json) -> bool:
            until = self._visit.now + timedelta(days=int(values["days"]))
            return await self._send("snooze", {"until": until.isoformat()}, "Put away")

        ask("Put it away", lambda fields: fields.choice("days", "Until when", SNOOZES), send, "Put away")

    def _comment(self) -> None:
        async def send(values: Json) -> bool:
            if "comment" not in values:
                return await attempt(_refuse("Write something first."), "")
            return await self._send("comments", values, "Noted")

        ask("Say something about it", lambda fields: fields.text("comment", "Comment", long=True), send, "Note it")


async def _refuse(sentence: str) -> None:
    raise Invalid("empty", sentence)

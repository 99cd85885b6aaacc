"""What is done with a programme: looked at, started, paused, ended, copied; each is noted in the audit log."""

from datetime import datetime, timedelta

from services.dashboard.web.form_fields import attempt, refuse, sure
from services.dashboard.web.programmes.forecast import asking_words
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.mail_test import NO_RELAY
from shared.api.calls import (
    DUPLICATE_PROGRAMME,
    END_PROGRAMME,
    LOOK_AT_PROGRAMME,
    PAUSE_PROGRAMME,
    START_PROGRAMME,
)
from shared.api.programmes import DryRun, Programme
from shared.api.questions import PROGRAMME_DRY_RUN
from shared.errors import Conflict
from shared.http.client import Call

SEEN_FOR = timedelta(days=30)
"""For how long a look lets a programme start; outreach holds the same."""
STARTING = "It asks by itself from then on, in the hours that it names. You can pause it at any time."
PAUSING = "Nothing is sent any more, reminders included. Links that are out stay open, and their answers count."
ENDING = (
    "What is planned is withdrawn, and it does not start again; it can be duplicated. Links that are out stay open"
    " until they close, and their answers count."
)
NO_PUBLIC_URL = (
    "Links would work on this machine only: whoever runs Tellback sets TELLBACK_OUTREACH_PUBLIC_URL, the address under"
    " which your customers reach the survey pages."
)
LOOK_FIRST = "The programme was changed, or the last look is older than 30 days: see what it would do first."
REFUSALS = {"no_relay": NO_RELAY, "no_public_url": NO_PUBLIC_URL, "dry_run_first": LOOK_FIRST}


def is_seen(programme: Programme, now: datetime) -> bool:
    """Whether somebody has seen lately what this revision would do, so that it can be started."""
    return programme.dry_run_at is not None and now - programme.dry_run_at < SEEN_FOR


class Steps:
    """The steps of one programme, as it was loaded last."""

    def __init__(self, visit: Visit, programme: Programme) -> None:
        self._visit, self._programme = visit, programme

    async def look(self) -> None:
        """See what it would do."""

        async def work() -> None:
            await (await self._visit.api()).call(LOOK_AT_PROGRAMME, programme_id=self._programme.programme_id)

        await attempt(work(), "Counted; nothing was sent")
        await self._visit.refresh()

    async def start(self) -> None:
        """Ask for confirmation, with what it would do, and start it."""
        found: list[DryRun] = []

        async def load() -> None:
            asked = {"programme_id": self._programme.programme_id}
            found.append(await (await self._visit.api()).ask(PROGRAMME_DRY_RUN, **asked))

        if await attempt(load(), ""):
            text = f"It would ask {asking_words(found[0])} in the next three months. {STARTING}"
            sure(f"Start {self._programme.name}?", text, "Start it", self._start)

    async def _start(self) -> None:
        await self._do(START_PROGRAMME, "started_programme", "It asks now")

    def pause(self) -> None:
        """Ask for confirmation, and let it rest."""
        sure(f"Pause {self._programme.name}?", PAUSING, "Pause it", self._pause)

    async def _pause(self) -> None:
        await self._do(PAUSE_PROGRAMME, "paused_programme", "It rests")

    def end(self) -> None:
        """Ask for confirmation, and end it for good."""
        sure(f"End {self._programme.name} for good?", ENDING, "End it", self._end)

    async def _end(self) -> None:
        await self._do(END_PROGRAMME, "ended_programme", "It has ended")

    async def duplicate(self) -> Programme | None:
        """Make a draft with the same content; None where that failed, which is said then."""
        made: list[Programme] = []

        async def work() -> None:
            api = await self._visit.api()
            made.append(await api.call(DUPLICATE_PROGRAMME, programme_id=self._programme.programme_id))
            await self._visit.resources.desk.note(self._visit.user, "made_programme", made[0].name)

        await attempt(work(), "")
        return next(iter(made), None)

    async def _do(self, call: Call[Programme], action: str, done: str) -> None:
        async def work() -> None:
            try:
                await (await self._visit.api()).call(call, programme_id=self._programme.programme_id)
            except Conflict as conflict:
                if conflict.code in REFUSALS:
                    await refuse(REFUSALS[conflict.code])
                raise
            await self._visit.resources.desk.note(self._visit.user, action, self._programme.name)

        await attempt(work(), done)
        await self._visit.refresh()

"""A part of a page that loads by itself, keeps itself fresh, and says in words when it cannot."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nicegui import Client, ui

from services.dashboard.gateways.services import Api, Away, Refused
from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.web.bits import Text, box, when
from services.dashboard.web.resources import Resources
from shared.errors import TellbackError

Load = Callable[[Api], Awaitable[Any]]
Draw = Callable[[Any], object]
FIRST_SECONDS = 1.5
"""How long the first answer of a page waits for its figures; what comes later is drawn when it comes."""


@dataclass
class Visit:
    """Somebody looking at a page."""

    resources: Resources
    visitor: Visitor
    path: dict[str, str]
    query: dict[str, str]
    client: Client
    sections: list["Section"] = field(default_factory=list)

    @property
    def user(self) -> Any:
        """Who looks."""
        return self.visitor.user

    @property
    def now(self) -> datetime:
        """The time."""
        return self.resources.clock.now()

    async def api(self) -> Api:
        """The services, as this person may ask them."""
        return await self.resources.keys.api_of(self.user)

    async def refresh(self) -> None:
        """Load everything anew; what has not changed stays as it is."""
        if not await self.resources.signing_in.still_there(self.visitor.token):
            with self.client:
                ui.navigate.to("/login")
            return
        await asyncio.gather(*(section.refresh() for section in self.sections))

    async def open(self) -> None:
        """Load for the first time, then follow what changes until the page is closed."""
        loading = [asyncio.create_task(section.refresh()) for section in self.sections]
        if loading:
            await asyncio.wait(loading, timeout=FIRST_SECONDS)
        pulse = self.resources.pulses.of(self.user.user_id, self.api)
        self.client.on_connect(lambda: pulse.subscribe(self.refresh))
        self.client.on_delete(lambda: pulse.unsubscribe(self.refresh))


class Section:
    """One part: `load` asks the services, `draw` draws what they said. Drawn anew only when it differs."""

    def __init__(
        self, visit: Visit, title: str, load: Load, draw: Draw, *, classes: str = "", lead: str = "", level: str = "h2"
    ) -> None:
        self._visit, self._load, self._draw = visit, load, draw
        self._drawn = self._notice_shown = False
        self._data: Any = None
        self._at: datetime | None = None
        self._turn = asyncio.Lock()
        with box("section", f"card {classes}", aria_label=title or None) as self.card:
            if title:
                Text(level, title)
            if lead:
                Text("p", lead, "lead")
            self._notice = box("div", "notice bad", role="status")
            self._notice.set_visibility(False)
            with box() as self._body:
                Text("p", "Loading …", "loading")
        visit.sections.append(self)

    async def refresh(self) -> None:
        """Load, and draw if it differs from what is there."""
        async with self._turn:
            try:
                data = await self._load(await self._visit.api())
            except Away as error:
                self._complain(f"The {error.service} is not reachable")
            except Refused as error:
                self._complain(
                    error.detail if error.http_status != 404 else "There is nothing here, or it is not yours."
                )
            except TellbackError as error:
                self._complain(error.detail or "This does not work right now")
            else:
                self._show(data)

    def _show(self, data: Any) -> None:
        self._at = self._visit.now
        if self._notice_shown:
            self._notice.set_visibility(False)
            self._notice_shown = False
        if self._drawn and data == self._data:
            return
        self._data, self._drawn = data, True
        if self._body.is_deleted:
            return
        self._body.clear()
        with self._body:
            self._draw(data)

    def _complain(self, sentence: str) -> None:
        if self._notice.is_deleted:
            return
        self._notice.clear()
        with self._notice:
            if self._at is not None:
                Text("span", f"{sentence}: figures from ")
                when(self._at, "clock")
            else:
                Text("span", f"{sentence}. This page tries again by itself.")
        self._notice.set_visibility(True)
        self._notice_shown = True
        if not self._drawn:
            self._body.clear()

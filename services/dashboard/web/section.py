"""A part of a page that loads by itself, stays up to date, and says in words when it cannot load."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nicegui import Client, ui

from services.dashboard.domain.users import User
from services.dashboard.handlers.keys import SIGNED_OUT
from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.jobs.change_notifier import ChangeNotifier
from services.dashboard.web.elements import Text, box, link, tab_title, when
from services.dashboard.web.resources import Resources
from services.dashboard.web.sentences import BROKEN, why_not_shown
from shared.errors import Invalid, NotFound, TellbackError, Unauthorized
from shared.http.client import Api, Away
from shared.telemetry.logging import get_logger

log = get_logger(__name__)
Load = Callable[[Api], Awaitable[Any]]
Draw = Callable[[Any], object]
UnderWay = Callable[[Any], bool]
FIRST_SECONDS = 0.25
"""How long the first response of a page waits for its figures; later figures are drawn when they come."""

SUBJECT_SECONDS = 2.0
"""How long it waits for what it is about at most: until then the page may turn out not to exist."""
SOON_SECONDS = 2.0
"""Interval at which a part with something under way is loaded again, since no event announces its end."""
AT_ONCE = 4
"""Concurrent questions of a page: the parts at its top are loaded first, and the others do not delay them."""


@dataclass
class Visit:
    """A person who looks at a page."""

    resources: Resources
    visitor: Visitor
    path: dict[str, str]
    query: dict[str, str]
    client: Client
    remember: bool = False
    """Whether the page shows what was seen there a moment ago when this person comes back."""
    sources: dict[Load, "Source"] = field(default_factory=dict)
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    main: ui.element | None = None
    """The element that holds the page, without the head; None for all of it."""
    again: asyncio.Task[None] | None = None
    """The pending task of `refresh_soon`."""

    @property
    def user(self) -> User:
        """The person, with the role they had when the page was opened."""
        return self.visitor.user

    @property
    def now(self) -> datetime:
        """The time."""
        return self.resources.clock.now()

    def chosen(self, name: str, options: Collection[str], default: str) -> str:
        """The value of a parameter of the address, if it is one of the options; else the default."""
        value = self.query.get(name, default)
        if value in options:
            return value
        return default

    def given(self, *names: str) -> dict[str, str]:
        """Those of these parameters that the address has with a value."""
        return {name: self.query[name] for name in names if self.query.get(name)}

    def source(self, load: Load) -> "Source":
        """The source that loads by this function: one for all parts that show its answer."""
        return self.sources.setdefault(load, Source(self, load, len(self.sources)))

    async def present(self) -> User:
        """The person with their present role. Raises `Unauthorized` when the session has ended: an open page then has
        no rights any more."""
        user = await self.resources.signing_in.present(self.visitor.token)
        if user is None:
            raise Unauthorized("signed_out", SIGNED_OUT)
        return user

    async def api(self) -> Api:
        """A client of the services with this person's present rights. Raises `Unauthorized`."""
        return await self.resources.keys.api_of(await self.present())

    async def _loading(self) -> Api:
        """A client for one loading of all parts, which asks a question that several parts share once."""
        return (await self.api()).once()

    async def refresh(self) -> bool:
        """Load everything again; unchanged parts are not redrawn. Returns whether all of it could be loaded."""
        if await self.resources.signing_in.present(self.visitor.token) is None:
            with self.client:
                ui.navigate.to("/login")
            return True
        if not self.sources:
            return True
        asking = asyncio.ensure_future(self._loading())
        await asyncio.gather(*(source.refresh(asking) for source in self.sources.values()))
        return not any(source.complaint for source in self.sources.values())

    def refresh_soon(self) -> None:
        """Load everything again in a moment, unless the page is closed by then."""
        if self.again is None:
            self.again = asyncio.create_task(self._refresh_later())

    async def _refresh_later(self) -> None:
        await asyncio.sleep(SOON_SECONDS)
        self.again = None
        if not self.client.is_deleted:
            await self.refresh()

    async def open(self) -> None:
        """Load for the first time, then follow what changes until the page is closed."""
        known = [False]
        if self.remember:
            known = [source.recall() for source in self.sources.values()]
        if self.sources:
            asking = asyncio.ensure_future(self._loading())
            sources = list(self.sources.values())
            loading = [asyncio.create_task(source.refresh(asking)) for source in sources]
            timeout = FIRST_SECONDS
            if all(known):
                timeout = 0.0
            await asyncio.wait(loading, timeout=timeout)
            decisive = [task for task, source in zip(loading, sources, strict=True) if source.subject]
            if decisive:
                await asyncio.wait(decisive, timeout=SUBJECT_SECONDS)
        self._follow(self.resources.notifiers.of(self.user.user_id, lambda: self.resources.keys.api_of(self.user)))

    def missing(self, subject: str) -> None:
        """Show that there is nothing at this address, in place of all parts; a response that is not sent yet is a
        404."""
        self.sources.clear()
        self.client.status_code = 404
        place = self.main or self.client.content
        place.clear()
        with place:
            tab_title("Not found")
            Text("h1", f"There is no such {subject}")
            Text("p", "It was removed, it never existed, or it belongs to a colleague.", "lead")
            link("Go to the portfolio", "/", "button")

    def _follow(self, notifier: ChangeNotifier) -> None:
        """Subscribe to changes while a browser is connected; after a lost connection, first load what changed
        meanwhile."""
        missed = False

        async def come() -> None:
            nonlocal missed
            notifier.subscribe(self.refresh)
            if missed:
                missed = False
                await self.refresh()

        def go() -> None:
            nonlocal missed
            if not self.client.has_socket_connection:
                missed = True
                notifier.unsubscribe(self.refresh)

        self.client.on_connect(come)
        self.client.on_disconnect(go)
        self.client.on_delete(lambda: notifier.unsubscribe(self.refresh))


class Source:
    """One question to the services, and the parts of the page that show its answer: they are redrawn together."""

    def __init__(self, visit: Visit, load: Load, number: int) -> None:
        self.sections: list[Section] = []
        self.complaint = ""
        self.subject = ""
        self.under_way: UnderWay | None = None
        self._visit, self._load = visit, load
        where = (visit.client.page.path, *sorted(visit.path.items()), *sorted(visit.query.items()))
        self._key = (visit.user.user_id, visit.user.role, where, number)
        self._turn = asyncio.Lock()

    def recall(self) -> bool:
        """Show the cached answer that this person saw a moment ago; returns whether there was one."""
        found = self._visit.resources.recent.get(self._key, self._visit.now)
        if found is not None:
            for section in self.sections:
                section.show(*found)
        return found is not None

    async def refresh(self, asking: Awaitable[Api]) -> None:
        """Load, and show the answer, or why there is none."""
        async with self._turn, self._visit.turn:
            try:
                data = await self._load(await asking)
                for section in self.sections:
                    section.show(data, self._visit.now)
                self.complaint = ""
                if self.under_way is not None and self.under_way(data):
                    self._visit.refresh_soon()
                if self._visit.remember:
                    self._visit.resources.recent.keep(self._key, data, self._visit.now)
            except TellbackError as error:
                if not isinstance(error, Away):
                    self._visit.resources.recent.forget(self._key)
                if self.subject and self._unknown(error):
                    self._visit.missing(self.subject)
                else:
                    self._complain(why_not_shown(error))
            except Exception:  # a broken part must not break the rest of the page
                log.exception("section_failed")
                self._complain(BROKEN)

    def _unknown(self, error: TellbackError) -> bool:
        """Whether the services know nothing under the ids in the address, or these cannot be ids."""
        faults = {str(fault.get("field")) for fault in error.errors or []}
        return isinstance(error, NotFound) or (isinstance(error, Invalid) and not faults.isdisjoint(self._visit.path))

    def _complain(self, sentence: str) -> None:
        self.complaint = sentence
        for section in self.sections:
            section.complain(sentence)


class Section:
    """One part of a page: draws the answer of its source, again only when that differs. `under_way` tells from the data
    whether it will change by itself in a moment. `subject` names what the page is about, such as `account`: where the
    services do not know it, there is no page."""

    def __init__(
        self,
        visit: Visit,
        title: str,
        load: Load,
        draw: Draw,
        *,
        classes: str = "",
        lead: str = "",
        under_way: UnderWay | None = None,
        subject: str = "",
    ) -> None:
        self.title = title
        self._draw = draw
        self._drawn = False
        self._data: Any = None
        self._at: datetime | None = None
        with box("section", f"card {classes}") as card:
            if title:
                card.props["aria-label"] = title
                Text("h2", title)
            if lead:
                Text("p", lead, "lead")
            self._notice = box("div", "notice bad", role="status")
            self._notice.set_visibility(False)
            with box() as self._body:
                Text("p", "Loading …", "loading")
        source = visit.source(load)
        source.sections.append(self)
        source.under_way = source.under_way or under_way
        source.subject = source.subject or subject

    def show(self, data: Any, at: datetime) -> None:
        """Draw the data, unless it is drawn already."""
        self._at = at
        if self._body.is_deleted:
            return
        self._notice.set_visibility(False)
        if self._drawn and data == self._data:
            return
        self._drawn = False
        self._body.clear()
        with self._body:
            self._draw(data)
        self._data, self._drawn = data, True

    def complain(self, sentence: str) -> None:
        """Show an error; what was drawn before stays, with its time."""
        if self._notice.is_deleted:
            return
        self._notice.clear()
        with self._notice:
            if self._at is not None:
                Text("span", f"{sentence}: figures from ")
                when(self._at, "clock")
            else:
                Text("span", f"{sentence}. It is tried again automatically.")
        self._notice.set_visibility(True)
        if not self._drawn:
            self._body.clear()

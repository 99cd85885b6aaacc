"""Pages drawn without a browser: what they ask, what they show, and what they say of a service that is away."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from nicegui import Client, ui
from nicegui.elements.mixins.text_element import TextElement

from services.dashboard.web.page import Page
from services.dashboard.web.resources import Resources
from services.dashboard.web.section import Visit
from tests.integration.dashboard.fake_services import FakeServices


@dataclass(frozen=True)
class Shown:
    """A page that was loaded once."""

    visit: Visit
    services: FakeServices

    @property
    def questions(self) -> list[str]:
        """The paths that were asked, without the key that was made for it."""
        return [asked.url.path for asked in self.services.asked if asked.url.path != "/v1/keys"]

    @property
    def complaints(self) -> dict[str, str]:
        """Title → what is wrong, of the sections that complain."""
        return {
            section.title: source.complaint
            for source in self.visit.sources.values()
            for section in source.sections
            if source.complaint
        }

    @property
    def text(self) -> str:
        """All that stands on the page, line by line."""
        elements = self.visit.client.elements.values()
        return "\n".join(element.text for element in elements if isinstance(element, TextElement) and element.text)


@contextlib.asynccontextmanager
async def shown(
    resources: Resources, services: FakeServices, draw: Page, path: Mapping[str, str], **query: str
) -> AsyncIterator[Shown]:
    """The page as the first admin sees it, with everything that could be loaded."""
    password = await resources.desk.first_admin()
    assert password is not None
    token = await resources.signing_in.sign_in("admin", password, "here")
    visitor = await resources.signing_in.visitor(token)
    assert visitor is not None
    client = Client(ui.page("/shown"), request=None)
    with client:
        visit = Visit(resources, visitor, dict(path), query, client)
        await draw(visit)
        await visit.refresh()
    yield Shown(visit, services)
    client.delete()

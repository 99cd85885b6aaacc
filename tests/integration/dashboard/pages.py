"""Pages drawn without a browser: their questions, their text, and their errors while a service is away."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from nicegui import Client, ui
from nicegui.elements.mixins.text_element import TextElement

from services.dashboard.domain.users import Role
from services.dashboard.web.page import Page
from services.dashboard.web.resources import Resources
from services.dashboard.web.section import Visit
from tests.integration.dashboard.fake_services import FakeServices


@dataclass(frozen=True)
class Shown:
    """A page after its first loading."""

    visit: Visit
    services: FakeServices

    @property
    def questions(self) -> list[str]:
        """The requested paths, without the request that made the key."""
        return [asked.url.path for asked in self.services.asked if asked.url.path != "/v1/keys"]

    @property
    def complaints(self) -> dict[str, str]:
        """Title → error, of the sections that show one."""
        return {
            section.title: source.complaint
            for source in self.visit.sources.values()
            for section in source.sections
            if source.complaint
        }

    @property
    def text(self) -> str:
        """All text of the page, line by line."""
        elements = self.visit.client.elements.values()
        return "\n".join(element.text for element in elements if isinstance(element, TextElement) and element.text)


@contextlib.asynccontextmanager
async def shown(
    resources: Resources, services: FakeServices, draw: Page, path: Mapping[str, str], **query: str
) -> AsyncIterator[Shown]:
    """The page as the first admin sees it, completely loaded."""
    async with shown_as(Role.ADMIN, resources, services, draw, path, **query) as page:
        yield page


@contextlib.asynccontextmanager
async def shown_as(
    role: Role, resources: Resources, services: FakeServices, draw: Page, path: Mapping[str, str], **query: str
) -> AsyncIterator[Shown]:
    """The page as somebody in a role sees it."""
    password = await resources.desk.first_admin()
    assert password is not None
    token = await resources.signing_in.sign_in("admin", password, "here")
    visitor = await resources.signing_in.visitor(token)
    assert visitor is not None
    visitor = replace(visitor, user=replace(visitor.user, role=role))
    client = Client(ui.page("/shown"), request=None)
    with client:
        visit = Visit(resources, visitor, dict(path), query, client)
        await draw(visit)
        await visit.refresh()
    yield Shown(visit, services)
    client.delete()

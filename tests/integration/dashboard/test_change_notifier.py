"""Open pages reload after changes, and a page that cannot be loaded is tried again with growing pauses."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.dashboard.jobs.change_notifier import ChangeNotifier
from services.dashboard.web.resources import Resources
from shared.http.client import Api
from tests.integration.dashboard.fake_services import FakeServices
from tests.support.follow_ups import FOLLOW_UP
from tests.support.polling import eventually

NOTHING: dict[str, Any] = {"items": []}
NEW: dict[str, Any] = {"items": [FOLLOW_UP]}


class Page:
    """An open page: when it was reloaded, and whether it can be loaded."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.told_at: list[float] = []

    async def told(self) -> bool:
        self.told_at.append(asyncio.get_running_loop().time())
        return self.whole

    async def times(self, number: int) -> bool:
        return len(self.told_at) >= number


@pytest.fixture
async def notifier(resources: Resources, services: FakeServices) -> AsyncIterator[ChangeNotifier]:
    await resources.desk.first_admin()
    admin = (await resources.desk.everybody())[0]
    services.answers |= {"/v1/follow-ups": NOTHING, "/v1/responses": NOTHING}

    async def api() -> Api:
        return await resources.keys.api_of(admin)

    made = ChangeNotifier(api, 0.1)
    yield made
    made.stop()


async def test_a_new_follow_up_is_told(notifier: ChangeNotifier, services: FakeServices) -> None:
    page = Page(whole=True)
    notifier.subscribe(page.told)
    await eventually(lambda: asked(services), timeout=20)
    services.answers["/v1/follow-ups"] = NEW
    await eventually(lambda: page.times(2), timeout=20)


async def test_what_cannot_be_loaded_is_tried_again_after_longer_and_longer_rests(
    notifier: ChangeNotifier, services: FakeServices
) -> None:
    page = Page(whole=False)
    notifier.subscribe(page.told)
    await eventually(lambda: asked(services), timeout=20)
    services.answers["/v1/follow-ups"] = NEW
    await eventually(lambda: page.times(5), timeout=20)
    rests = [later - before for before, later in zip(page.told_at, page.told_at[1:], strict=False)]
    assert rests[3] > rests[0]


async def test_nobody_is_told_who_has_gone(notifier: ChangeNotifier, services: FakeServices) -> None:
    here, gone = Page(whole=True), Page(whole=True)
    notifier.subscribe(here.told)
    notifier.subscribe(gone.told)
    notifier.unsubscribe(gone.told)
    await eventually(lambda: asked(services), timeout=20)
    services.answers["/v1/follow-ups"] = NEW
    await eventually(lambda: here.times(1), timeout=20)
    assert gone.told_at == []


async def test_an_answer_that_nobody_foresaw_stops_no_page_for_ever(
    notifier: ChangeNotifier, services: FakeServices
) -> None:
    page = Page(whole=True)
    notifier.subscribe(page.told)
    await eventually(lambda: asked(services), timeout=20)
    services.answers["/v1/follow-ups"] = {"items": object()}
    before = len(services.asked)
    await eventually(lambda: len(services.asked) > before, timeout=20)
    services.answers["/v1/follow-ups"] = NOTHING
    before = len(services.asked)
    await eventually(lambda: len(services.asked) > before + 2, timeout=20)
    services.answers["/v1/follow-ups"] = NEW
    await eventually(lambda: page.times(1), timeout=20)


async def asked(services: FakeServices) -> bool:
    """Whether the notifier has polled twice: later polls are compared with the first."""
    return sum(request.url.path == "/v1/follow-ups" for request in services.asked) >= 2

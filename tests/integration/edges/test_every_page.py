"""Whatever is sent to the dashboard, signed in or not, gets an answer that is no failure of ours."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.edges.house import House, sent
from tests.support.dashboard import dashboard_of
from tests.support.raw_calls import wired
from tests.support.strange_pages import ADDRESSES, FORM_ROUTES, Visit, signed_in, strange_addresses, strange_forms

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def visit(house: House, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visit]:
    async with dashboard_of(house.installation, tmp_path_factory.mktemp("dashboard")) as dashboard:
        async with wired(dashboard.url, {}, 1) as [wire]:
            found = await signed_in(wire, dashboard.password)
        yield found
        assert await dashboard.ready()


async def test_no_form_is_a_failure_of_ours(visit: Visit) -> None:
    calls = [call for route in FORM_ROUTES for call in strange_forms(route, visit)]
    async with wired(visit.url, {}, 1) as wires:
        answers = await sent(wires, calls)
    assert [f"{call}: {answer.body[:300]!r}" for call, answer in answers if answer.status >= 500] == []
    assert [answer.status for call, answer in answers if call.what == "email is NUL"] == [422]


async def test_no_address_is_a_failure_of_ours(house: House, visit: Visit) -> None:
    calls = [call for path in ADDRESSES for call in strange_addresses(path, house.known, visit)]
    async with wired(visit.url, {}, 2) as wires:
        answers = await sent(wires, calls)
    assert [f"{call}: {answer.status} {answer.body[-300:]!r}" for call, answer in answers if answer.status >= 500] == []

"""Targets of response rates: where they are read, and who is offered to set them."""

from typing import Any

import pytest

from services.dashboard.domain.users import Role
from services.dashboard.web.my_day import my_day
from services.dashboard.web.portfolio import targets
from services.dashboard.web.portfolio.page import reach_and_drivers
from services.dashboard.web.resources import Resources
from shared.api.reach import FUNNEL, FUNNEL_GROUP
from shared.api.response_targets import TARGET
from shared.errors import Invalid
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown, shown_as

PATH = "/v1/response-targets"
KIM = FUNNEL_GROUP["group"]["owner"]


def told(target: float | None, owner: str = KIM) -> dict[str, dict[str, Any]]:
    """What the services answer: 17 of 38 who were asked at Kim's accounts have answered, 45 %."""
    items = []
    if target is not None:
        items.append(TARGET | {"owner": owner, "target": target})
    return {"/v1/portfolio/funnel": FUNNEL, "/v1/names": {"items": []}, PATH: {"items": items}}


@pytest.mark.parametrize(
    ("target", "standing"), [(0.55, "55\u00a0%, behind"), (0.4, "40\u00a0%, on target"), (None, "–")], ids=str
)
async def test_a_target_stands_beside_the_rate_of_its_owner(
    resources: Resources, services: FakeServices, target: float | None, standing: str
) -> None:
    services.answers |= told(target)
    async with shown(resources, services, reach_and_drivers, {}) as page:
        lines = page.text.splitlines()
        assert lines[lines.index("45\u00a0%", lines.index("Target")) + 1] == standing


@pytest.mark.parametrize(("role", "offered"), [(Role.ADMIN, 1), (Role.LEADER, 0), (Role.VIEWER, 0)])
async def test_targets_are_set_by_those_who_manage(
    resources: Resources, services: FakeServices, role: Role, offered: int
) -> None:
    services.answers |= told(0.55)
    async with shown_as(role, resources, services, reach_and_drivers, {}) as page:
        assert page.text.splitlines().count("Set the target") == offered


async def test_without_outreach_the_rates_are_shown_all_the_same(resources: Resources, services: FakeServices) -> None:
    services.answers |= told(0.55)
    services.broken = {PATH}
    async with shown(resources, services, reach_and_drivers, {}) as page:
        lines = page.text.splitlines()
        assert lines[lines.index("45\u00a0%", lines.index("Target")) + 1] == "–"


async def test_an_owner_reads_their_own_rate_in_their_day(resources: Resources, services: FakeServices) -> None:
    services.answers |= told(0.55, "admin") | {"/v1/waves": {"items": []}}
    async with shown(resources, services, my_day, {}) as page:
        target = TARGET | {"owner": page.visit.user.email}
        services.answers[PATH] = {"items": [target]}
        await page.visit.refresh()
        assert "In 90 days 17 of 38 asked answered: 45\u00a0%, target 55\u00a0%, behind" in page.text.splitlines()


@pytest.mark.parametrize(("text", "share"), [("55", 0.55), ("55 %", 0.55), ("52,5", 0.525), ("100", 1.0), (" ", None)])
async def test_a_target_is_written_in_percent(text: str, share: float | None) -> None:
    assert await targets._share(text) == share


@pytest.mark.parametrize("text", ["0", "-5", "101", "half", "nan", "1e400"])
async def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="above 0 and up to 100"):
        await targets._share(text)

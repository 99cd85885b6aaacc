"""My day asks for what is one's own only; a page whose subject is unknown is a 404."""

from typing import Any

import pytest

from services.dashboard.web.account.page import account
from services.dashboard.web.follow_ups.detail import follow_up
from services.dashboard.web.my_day import my_day
from services.dashboard.web.resources import Resources
from shared.api import examples, reach, waves
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.follow_ups import FOLLOW_UP

PROMISED = FOLLOW_UP | {"promise": {"what": "A second driver", "by": "2026-11-27T09:00:00Z"}}
FELL = examples.ACCOUNT | {"change": -40.0, "trend": [50.0, None, 10.0]}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/follow-ups": {"items": [PROMISED]},
    "/v1/accounts": {"items": [FELL]},
    "/v1/names": {"items": []},
    "/v1/waves": {"items": [waves.WAVE]},
}
RATES: dict[str, dict[str, Any]] = {
    "/v1/portfolio/funnel": reach.FUNNEL,
    "/v1/response-targets": {"items": []},
}
OWN = ("/v1/follow-ups", "/v1/accounts", "/v1/waves", "/v1/portfolio/funnel")
OF_ALL = ("/v1/names", "/v1/response-targets")


async def test_everything_on_ones_day_is_ones_own(resources: Resources, services: FakeServices) -> None:
    services.answers |= ANSWERS | RATES
    async with shown(resources, services, my_day, {}) as page:
        assert page.complaints == {}
        listed = [asked for asked in services.asked if asked.url.path in OWN]
        assert len(listed) == len([path for path in page.questions if path not in OF_ALL]) == 7
        assert {asked.url.params["owner"] for asked in listed} == {page.visit.user.email}
        lines = page.text.splitlines()
        assert {"A second driver", "Detractor", "Acme Logistics", "−40", "Relationship, twice a year"} <= set(lines)
        points = [element.props.get("data-points") for element in page.visit.client.elements.values()]
        assert "50.0,,10.0" in points


async def test_a_day_without_anything_says_so(resources: Resources, services: FakeServices) -> None:
    services.answers |= RATES | {path: {"items": []} for path in ANSWERS}
    async with shown(resources, services, my_day, {}) as page:
        for sentence in (
            "Nothing is due.",
            "No promise is near its date.",
            "No score of your accounts changed.",
            "Nobody is to be asked within a fortnight.",
            "None: somebody answered at each of your accounts that renew soon.",
        ):
            assert sentence in page.text.splitlines()


UNKNOWN = (404, {"code": "unknown", "detail": "there is no such thing"})
NO_ID = (422, {"code": "invalid", "errors": [{"field": "follow_up_id", "detail": "not a UUID"}]})


@pytest.mark.parametrize("refusal", [UNKNOWN, NO_ID])
async def test_an_id_that_leads_nowhere_is_a_404(
    resources: Resources, services: FakeServices, refusal: tuple[int, dict[str, Any]]
) -> None:
    services.refused = {"/v1/follow-ups/none": refusal, "/v1/follow-ups/none/why": refusal}
    async with shown(resources, services, follow_up, {"follow_up_id": "none"}) as page:
        assert page.visit.client.status_code == 404
        assert page.text.splitlines()[0] == "There is no such follow-up"
        assert page.visit.sources == {}


async def test_a_service_that_is_away_is_no_404(resources: Resources, services: FakeServices) -> None:
    services.broken = {"/v1/accounts/acme"}
    async with shown(resources, services, account, {"account_id": "acme"}) as page:
        assert page.visit.client.status_code == 200
        assert page.complaints["Score"].endswith("is not reachable")


async def test_the_tab_has_the_name_of_the_account(resources: Resources, services: FakeServices) -> None:
    services.answers["/v1/accounts/acme"] = examples.ACCOUNT_DETAIL
    async with shown(resources, services, account, {"account_id": "acme"}) as page:
        assert page.visit.client.title == "Acme Logistics – Tellback"

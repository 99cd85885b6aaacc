"""Names behind the ids of a list: asked for once, all together."""

import json
from typing import Any

from services.dashboard.web.names import Names
from services.dashboard.web.resources import Resources
from services.scorer.api.names import NamesWanted
from shared.http.client import Api
from tests.integration.dashboard.fake_services import FakeServices

TASKS: list[dict[str, Any]] = [
    {"account_id": "acme", "stakeholder_id": "ada"},
    {"account_id": "acme", "stakeholder_id": "ada"},
    {"account_id": "bolt", "stakeholder_id": None},
    {"account_id": "hidden", "stakeholder_id": "eve"},
]
KNOWN: list[dict[str, Any]] = [
    {"account_id": "acme", "stakeholder_id": "ada", "account_name": "Acme", "name": "Ada Lin"},
    {"account_id": "bolt", "stakeholder_id": None, "account_name": None, "name": None},
]


async def asking(resources: Resources) -> Api:
    """The services, asked by the first admin."""
    await resources.desk.first_admin()
    return await resources.keys.api_of((await resources.desk.everybody())[0])


def asked(services: FakeServices) -> list[list[dict[str, str | None]]]:
    """Whose names were asked for, call by call."""
    return [json.loads(one.content)["of"] for one in services.asked if one.url.path == "/v1/names"]


async def test_a_list_asks_once_for_all_that_it_does_not_know(resources: Resources, services: FakeServices) -> None:
    api, names = await asking(resources), Names()
    services.answers["/v1/names"] = {"items": KNOWN}
    found = await names.add_to(api, TASKS)
    assert [(one["person"], one["account"]) for one in found] == [
        ("Ada Lin", "Acme"),
        ("Ada Lin", "Acme"),
        ("", "bolt"),
        ("eve", "hidden"),
    ]
    await names.add_to(api, TASKS[:3])
    assert asked(services) == [[TASKS[0], TASKS[2], TASKS[3]]]


async def test_ids_stand_for_names_while_the_scorer_is_away(resources: Resources, services: FakeServices) -> None:
    api, names = await asking(resources), Names()
    services.away = True
    assert [one["person"] for one in await names.add_to(api, TASKS)] == ["ada", "ada", "", "eve"]
    services.away = False
    services.answers["/v1/names"] = {"items": KNOWN}
    assert (await names.add_to(api, TASKS))[0]["person"] == "Ada Lin"


async def test_a_segment_among_accounts_costs_no_name(resources: Resources, services: FakeServices) -> None:
    """Its follow-up stands under an id that no account may have, which the scorer refuses with all the others."""
    api, segment = await asking(resources), {"account_id": "segment/industry/logistics", "stakeholder_id": None}
    services.answers["/v1/names"] = {"items": KNOWN}
    found = await Names().add_to(api, [segment, *TASKS])
    assert [one["account"] for one in found][:2] == ["segment/industry/logistics", "Acme"]
    assert [NamesWanted.model_validate({"of": of}) for of in asked(services)]


async def test_five_hundred_are_asked_for_at_a_time(resources: Resources, services: FakeServices) -> None:
    api = await asking(resources)
    services.answers["/v1/names"] = {"items": []}
    await Names().add_to(api, [{"account_id": f"account-{number}"} for number in range(501)])
    assert [len(of) for of in asked(services)] == [500, 1]

"""Names for the ids of a list: looked up once, all together."""

from typing import Any

from services.dashboard.web.names import NameLookup, Pair
from services.dashboard.web.resources import Resources
from services.scorer.api.names import NamesWanted
from shared.http.client import Api
from tests.integration.dashboard.fake_services import FakeServices

ADA: Pair = ("acme", "ada")
BOLT: Pair = ("bolt", None)
EVE: Pair = ("hidden", "eve")
PAIRS = [ADA, ADA, BOLT, EVE]
KNOWN: list[dict[str, Any]] = [
    {"account_id": "acme", "stakeholder_id": "ada", "account_name": "Acme", "name": "Ada Lin"},
    {"account_id": "bolt", "stakeholder_id": None, "account_name": None, "name": None},
]


async def asking(resources: Resources) -> Api:
    """A client of the services with the first admin's key."""
    await resources.desk.first_admin()
    return await resources.keys.api_of((await resources.desk.everybody())[0])


def asked(services: FakeServices) -> list[list[Pair]]:
    """The pairs whose names were requested, by request."""
    requests = [request for request in services.asked if request.url.path == "/v1/names"]
    bodies = [NamesWanted.model_validate_json(request.content) for request in requests]
    return [[(person.account_id, person.stakeholder_id) for person in body.of] for body in bodies]


async def test_a_list_asks_once_for_all_that_it_does_not_know(resources: Resources, services: FakeServices) -> None:
    api, names = await asking(resources), NameLookup()
    services.answers["/v1/names"] = {"items": KNOWN}
    book = await names.of(api, PAIRS)
    assert [(book.person(pair), book.account(pair)) for pair in (ADA, BOLT, EVE)] == [
        ("Ada Lin", "Acme"),
        ("", "bolt"),
        ("eve", "hidden"),
    ]
    await names.of(api, PAIRS[:3])
    assert asked(services) == [[ADA, BOLT, EVE]]


async def test_ids_stand_for_names_while_the_scorer_is_away(resources: Resources, services: FakeServices) -> None:
    api, names = await asking(resources), NameLookup()
    services.away = True
    book = await names.of(api, PAIRS)
    assert [book.person(pair) for pair in (ADA, BOLT, EVE)] == ["ada", "", "eve"]
    services.away = False
    services.answers["/v1/names"] = {"items": KNOWN}
    assert (await names.of(api, PAIRS)).person(ADA) == "Ada Lin"


async def test_a_segment_among_accounts_costs_no_name(resources: Resources, services: FakeServices) -> None:
    """A follow-up about a segment has an id that no account may have: with it the scorer would refuse the whole
    request."""
    api = await asking(resources)
    segment: Pair = ("segment/industry/logistics", None)
    services.answers["/v1/names"] = {"items": KNOWN}
    book = await NameLookup().of(api, [segment, *PAIRS])
    assert [book.account(segment), book.account(ADA)] == ["segment/industry/logistics", "Acme"]
    assert asked(services) == [[ADA, BOLT, EVE]]


async def test_five_hundred_are_asked_for_at_a_time(resources: Resources, services: FakeServices) -> None:
    api = await asking(resources)
    services.answers["/v1/names"] = {"items": []}
    await NameLookup().of(api, [(f"account-{number}", None) for number in range(501)])
    assert [len(of) for of in asked(services)] == [500, 1]

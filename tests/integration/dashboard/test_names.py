"""Names for the ids of a list: looked up once, all together."""

from dataclasses import replace
from typing import Any

from services.dashboard.domain.users import Role
from services.dashboard.web.names import NameLookup, Pair, actors_of, owners_of
from services.dashboard.web.resources import Resources
from services.scorer.api.names import NamesWanted
from shared.http.client import Api
from tests.integration.dashboard.fake_services import FakeServices

ADA: Pair = ("acme", "ada")
BOLT: Pair = ("bolt", None)
EVE: Pair = ("hidden", "eve")
PAIRS = [ADA, ADA, BOLT, EVE]
KEY: dict[str, Any] = {
    "scopes": ["act"],
    "owner_email": None,
    "publishable": False,
    "origins": [],
    "require_signature": False,
    "rate_limit": None,
    "created_at": "2026-11-20T09:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
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


async def test_owners_are_called_by_name_and_those_without_one_are_left_out(
    resources: Resources, services: FakeServices
) -> None:
    api = await asking(resources)
    owners = [{"email": "lea@x.example", "name": "Lea"}, {"email": "max@x.example", "name": None}]
    services.answers["/v1/names"] = {"items": [], "owners": owners}
    emails = ["max@x.example", "lea@x.example", None, "lea@x.example"]
    assert await owners_of(api, emails) == {"lea@x.example": "Lea"}
    [request] = [request for request in services.asked if request.url.path == "/v1/names"]
    assert NamesWanted.model_validate_json(request.content).owners == ["lea@x.example", "max@x.example"]
    services.away = True
    assert await owners_of(api, emails) == {}


async def test_only_who_may_see_keys_reads_the_names_of_programs(resources: Resources, services: FakeServices) -> None:
    api = await asking(resources)
    [admin] = await resources.desk.everybody()
    services.answers["/v1/keys"] = {"items": [KEY | {"id": "k3v9x0", "name": "CRM"}]}
    assert (await actors_of(api, resources.desk, admin))["k3v9x0"] == "CRM"
    own = await resources.desk.names_of_keys()
    assert await actors_of(api, resources.desk, replace(admin, role=Role.VIEWER)) == own == {"key0": "Admin"}
    services.away = True
    assert await actors_of(api, resources.desk, admin) == own

"""What the API answers over random worlds equals the plain recomputation, whichever way PostgreSQL counted."""

from datetime import datetime
from random import Random

from hypothesis import given

from tests.integration.scorer.reading import Reader
from tests.integration.scorer.worlds import (
    ACCOUNTS,
    OWNERS,
    SURVEY_TYPES,
    WINDOWS,
    a_world,
    at,
    exactly,
    people,
    question,
    seeds,
)
from tests.support.reference import questions as reference
from tests.support.reference.compare import assert_same
from tests.support.reference.world import World

METHODS = ("latest", "all")


@exactly
@given(seed=seeds)
async def test_an_account_score_equals_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, asked = a_world(random), question(random, method=METHODS, survey_type=SURVEY_TYPES)
    await reader.put(world)
    for account_id in world.account_ids():
        body = await reader.body(f"/v1/accounts/{account_id}/score", **asked)
        expected = reference.account_score(world, account_id, **at(asked))
        assert ("as_of" in body) is (asked["as_of"] is not None)
        assert_same(body, people(expected, body) | {"account_id": account_id, "window": asked["window"]})


@exactly
@given(seed=seeds)
async def test_the_list_of_accounts_shows_and_sorts_the_same_figures(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, asked = a_world(random), question(random, method=METHODS)
    sort, wanted = random.choice(("nps", "-nps", "change", "-change")), at(asked)
    await reader.put(world)
    items = await reader.items("/v1/accounts", **asked, sort=sort, limit=2)
    for item in items:
        assert_same(item, people(reference.account_score(world, item["account_id"], **wanted), item))
        assert item["class"] == reference.account_class(world, item["account_id"], wanted["as_of"])
    order = [place(item[sort.removeprefix("-")], sort.startswith("-"), item["account_id"]) for item in items]
    assert order == sorted(set(order))
    of_account = {name: value for name, value in asked.items() if name in ("industry", "tier", "region", "owner")}
    assert {item["account_id"] for item in items} == {
        account
        for account in world.account_ids()
        if reference.matches(world.attributes(account, None), of_account) and is_listed(world, account, wanted["as_of"])
    }


def place(value: float | None, descending: bool, account_id: str) -> tuple[bool, float, str]:
    """Where an account belongs: by its value, None last, then by its id."""
    return value is None, (-1 if descending else 1) * (value or 0), account_id


def is_listed(world: World, account_id: str, as_of: datetime) -> bool:
    """In the directory, with somebody in it, or ever asked or heard."""
    return (
        any(client.account_id == account_id and not client.removed for client in world.clients)
        or any(person.account_id == account_id and not person.removed for person in world.people)
        or any(invite.account_id == account_id for invite in world.invites)
        or any(
            submission.account_id == account_id and submission.live and submission.answered_at <= as_of
            for submission in world.submissions
        )
    )


@exactly
@given(seed=seeds)
async def test_every_point_of_a_trend_is_the_score_at_its_end(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, window, as_of = a_world(random), random.choice(WINDOWS), at(question(random))["as_of"]
    await reader.put(world)
    interval = random.choice(("week", "month", "quarter"))
    asked = {"window": window, "as_of": as_of, "interval": interval, "points": 4}
    portfolio = await reader.body("/v1/portfolio/trend", **asked)
    assert len(portfolio["points"]) == 4
    for point in portfolio["points"]:
        expected = reference.portfolio_score(world, window, "latest", datetime.fromisoformat(point["to"]))
        assert_same(point, people(expected, point))
    for account_id in {ACCOUNTS[0]} & set(world.account_ids()):
        for point in (await reader.body(f"/v1/accounts/{account_id}/trend", **asked))["points"]:
            end = datetime.fromisoformat(point["to"])
            assert_same(point, people(reference.account_score(world, account_id, window, "latest", end), point))


@exactly
@given(seed=seeds)
async def test_a_limited_key_sees_a_world_of_its_own_accounts(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, window, owner = a_world(random), random.choice(WINDOWS), random.choice(OWNERS)
    await reader.put(world)
    body = await reader.body("/v1/portfolio/score", window=window, owner=owner)
    limited = await reader.limited_to(owner)
    assert await limited.body("/v1/portfolio/score", window=window) == body
    own = {client.account_id for client in world.clients if client.owner == owner}
    for path in ("/v1/accounts", "/v1/stakeholders", "/v1/responses", "/v1/changes"):
        everything, seen = await reader.items(path), await limited.items(path)
        assert seen == [item for item in everything if item["account_id"] in own], path
    for account in set(world.account_ids()) - own:
        assert await limited.code(f"/v1/accounts/{account}/score", 404) == "unknown_account"


@exactly
@given(seed=seeds)
async def test_changes_equal_the_recomputation(reader: Reader, seed: int) -> None:
    world = a_world(Random(seed))
    await reader.put(world)
    items = await reader.items("/v1/changes", sort="changed_at", limit=3)
    names = ("kind", "account_id", "stakeholder_id", "response_id", "previous_response_id")
    found = sorted((tuple(item[name] for name in names) for item in items), key=str)
    assert found == sorted(
        (tuple(change[name] for name in names) for change in reference.category_changes(world)), key=str
    )
    moments = [datetime.fromisoformat(item["changed_at"]) for item in items]
    assert moments == sorted(moments)


@exactly
@given(seed=seeds)
async def test_the_explained_figure_can_be_made_of_what_it_counts(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, asked = a_world(random), question(random, method=METHODS, survey_type=SURVEY_TYPES)
    await reader.put(world)
    for account_id in {submission.account_id for submission in world.submissions}:
        body = await reader.body("/v1/explain", account_id=account_id, **asked)
        score = await reader.body(f"/v1/accounts/{account_id}/score", **asked)
        counted, not_counted = body.pop("counted"), body.pop("not_counted")
        assert body == score
        scores = [answer["score"] for answer in counted]
        assert [scores.count(number) for number in range(11)] == body["distribution"]
        everything = [answer["response_id"] for answer in counted + not_counted]
        assert set(everything) == {
            submission.response_id for submission in world.submissions if submission.account_id == account_id
        }
        gone = {submission.response_id for submission in world.submissions if not submission.live}
        reasons = {answer["response_id"] for answer in not_counted if answer["reason"] in ("withdrawn", "test")}
        assert reasons == gone & set(everything)

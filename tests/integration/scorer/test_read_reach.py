"""The invitation funnel and the gaps of coverage: by example, and over random worlds."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given

from services.scorer.domain.questions import ASKABLE
from tests.integration.scorer.reading import NOW, Reader
from tests.integration.scorer.worlds import CHOICES, OWNERS, WINDOWS, a_world, exactly, moment, seeds
from tests.support.reference import questions, reach
from tests.support.reference.compare import assert_same
from tests.support.reference.world import Client, Invite, Person, Submission, World

FUNNEL, COVERAGE = "/v1/portfolio/funnel", "/v1/portfolio/coverage"


def days(number: float) -> Any:
    """So many days ago."""
    return NOW - timedelta(days=number)


def answer(number: int, account: str, person: str, score: int, ago: float, **fields: Any) -> Submission:
    """One NPS answer."""
    return Submission(f"r{number}", account, person, "nps", score, days(ago), **fields)


FRIENDLY = World(
    clients=(Client("acme", "Acme", owner=OWNERS[0]), Client("bolt", "Bolt"), Client("cold", "Cold")),
    people=(Person("acme", "ada", "decision_maker"), Person("acme", "ben", "user"), Person("bolt", "dan", "user")),
    submissions=(
        answer(1, "acme", "ada", 9, 200),
        answer(2, "bolt", "dan", 3, 200),
        answer(3, "acme", "ben", 8, 200),
        answer(4, "acme", "ada", 2, 5, invitation_id="i1", comment="late", follow_up_requested=True),
    ),
    invites=(
        Invite("i1", "acme", "ada", days(9), days(9), days(8), started_at=days(7), channel="email"),
        Invite("i2", "acme", "ben", days(9), bounced_at=days(9), channel="email"),
        Invite("i3", "bolt", "dan", days(400)),
        Invite("i4", "acme", "ben", days(9), withdrawn_at=days(8), channel="link"),
    ),
)


async def test_how_far_invitations_came(reader: Reader) -> None:
    await reader.put(FRIENDLY)
    body = await reader.body(FUNNEL, group_by="channel")
    assert body == {
        "window": "90d",
        "groups": [
            {
                "group": {"channel": "email"},
                **{"sent_count": 2, "delivered_count": 1, "opened_count": 1, "started_count": 1},
                **{"answered_count": 1, "bounced_count": 1, "delivered_rate": 1.0, "open_rate": 1.0},
                **{"start_rate": 1.0, "response_rate": 1.0, "completion_rate": 1.0, "bounce_rate": 0.5},
                **{"comment_rate": 1.0, "follow_up_request_rate": 1.0, "withdrawn_count": 0, "warnings": []},
            },
            {
                "group": {"channel": "link"},
                **{"sent_count": 1, "delivered_count": None, "opened_count": 0, "started_count": 0},
                **{"answered_count": 0, "bounced_count": 0, "delivered_rate": None, "open_rate": 0.0},
                **{"start_rate": 0.0, "response_rate": 0.0, "completion_rate": None, "bounce_rate": 0.0},
                **{"comment_rate": 0.0, "follow_up_request_rate": 0.0, "withdrawn_count": 1},
                "warnings": ["deliveries_not_reported"],
            },
        ],
    }


async def test_without_invitations_a_funnel_is_one_group_of_nothing(reader: Reader) -> None:
    await reader.put(FRIENDLY)
    (group,) = (await reader.body(FUNNEL, as_of="2001-01-01T00:00:00Z"))["groups"]
    assert (group["group"], group["sent_count"], group["response_rate"]) == ({}, 0, None)
    assert (await reader.body(FUNNEL, as_of="2001-01-01T00:00:00Z", group_by="owner"))["groups"] == []


async def test_gaps_and_the_picking_of_friends_are_told(reader: Reader) -> None:
    await reader.put(FRIENDLY)
    body = await reader.body(COVERAGE)

    def listed(name: str) -> list[str]:
        assert body[name]["account_count"] == len(body[name]["accounts"])
        return [account["account_id"] for account in body[name]["accounts"]]

    assert listed("without_decision_maker") == ["bolt", "cold"]
    assert listed("single_threaded") == ["bolt"]
    assert listed("never_asked_in_12_months") == ["bolt", "cold"]
    assert body["never_asked_in_12_months"]["accounts"][0]["last_asked_at"] == "2025-04-27T12:00:00Z"
    assert body["selection"]["asked"]["nps"] == 50.0
    assert body["selection"]["left_out"]["nps"] == -100.0
    assert (body["selection"]["difference"], body["selection"]["significant"]) == (150.0, False)
    assert body["warnings"] == ["asked_scored_higher"]
    assert body["accounts"] == {"known": 3, "asked": 1, "answered": 1}


async def test_whoever_asks_the_angry_ones_is_not_warned(reader: Reader) -> None:
    everybody = World(
        FRIENDLY.clients, FRIENDLY.people, FRIENDLY.submissions[:2], (Invite("i9", "bolt", "dan", days(3)),)
    )
    await reader.put(everybody)
    body = await reader.body(COVERAGE)
    assert (body["selection"]["difference"], body["warnings"]) == (-200.0, [])


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        (FUNNEL, {"group_by": "touchpoint"}, "invalid_group"),
        (FUNNEL, {"group_by": "owner,owner"}, "invalid_group"),
        (FUNNEL, {"touchpoint": "support"}, "unknown_field"),
        (FUNNEL, {"window": "x"}, "invalid_window"),
        (COVERAGE, {"stakeholder_type": "user"}, "unknown_field"),
        (COVERAGE, {"group_by": "owner"}, "unknown_field"),
    ],
)
async def test_bad_questions_are_refused(reader: Reader, path: str, asked: dict[str, str], code: str) -> None:
    assert await reader.code(path, 422, **asked) == code


@exactly
@given(seed=seeds)
async def test_the_funnel_equals_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, window, as_of = a_world(random), random.choice(WINDOWS), random.choice((None, moment(random)))
    by = random.sample(ASKABLE, random.randrange(3))
    names = random.sample(
        ("industry", "tier", "owner", "channel", "survey_id", "stakeholder_type"), random.randrange(2)
    )
    wanted = {name: random.choice(CHOICES[name]) for name in names}
    await reader.put(world)
    body = await reader.body(FUNNEL, window=window, as_of=as_of, group_by=",".join(by) or None, **wanted)
    classes = {
        account_id: questions.account_class(world, account_id, as_of or NOW) for account_id in world.account_ids()
    }
    expected = reach.funnel(world, window, as_of or NOW, by, classes, **wanted)
    assert {tuple(group["group"].values()) for group in body["groups"]} == expected.keys()
    for group in body["groups"]:
        assert_same(group, expected[tuple(group["group"].values())])


@exactly
@given(seed=seeds)
async def test_coverage_equals_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, window, as_of = a_world(random), random.choice(WINDOWS), random.choice((None, moment(random)))
    wanted = {name: random.choice(CHOICES[name]) for name in random.sample(("industry", "owner"), random.randrange(2))}
    await reader.put(world)
    body = await reader.body(COVERAGE, window=window, as_of=as_of, **wanted)
    expected = reach.gaps(world, window, as_of or NOW, **wanted)
    for name in reach.OPEN:
        assert [account["account_id"] for account in body[name]["accounts"]] == expected.pop(name)
    assert_same(body, expected)
    selected = reach.selection(world, window, as_of or NOW, **wanted)
    assert_same(body["selection"], selected)
    assert bool(body["warnings"]) is ((selected["difference"] or 0) > 0)
    if "owner" in wanted:
        limited = await reader.limited_to(wanted["owner"])
        for path in (FUNNEL, COVERAGE):
            same = await limited.body(path, window=window, as_of=as_of)
            assert same == await reader.body(path, window=window, as_of=as_of, owner=wanted["owner"])

"""C7 and promise 1: whatever happens to asks, and in whatever order, the sums hold at every moment."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any, cast

import pytest

from shared.events.invitations import InvitationKind
from tests.support.examples import examples
from tests.support.outreach import Asking, account, answer_to, invited, person, person_removed

STATES = ("waiting", "held", "skipped", "sent", "failed", "withdrawn")
PEOPLE = ("ann", "bob", "cy", "dan", "nobody")
KINDS = ("sent", "opened", "started", "bounced", "unsubscribed", "reminded", "answer")


@pytest.mark.parametrize("seed", range(examples(100) // 4))
async def test_c7_the_sums_hold_at_every_moment(desk: Asking, seed: int) -> None:
    chance = random.Random(seed)
    await desk.survey("srv_csat", nps_kind="transactional")
    await desk.take(account(), *map(person, PEOPLE[:-1]))
    asked: list[tuple[str, str]] = []
    for _ in range(15):
        desk.clock.advance(timedelta(days=chance.choice((0, 1, 15, 31))))
        await step(desk, chance, asked)
        await assert_sums(desk, len(asked))


async def step(desk: Asking, chance: random.Random, asked: list[tuple[str, str]]) -> None:
    """Something happens; asks that are made are noted with their person."""
    now = desk.clock.now()
    if not asked or chance.random() < 0.4:
        people = chance.sample(PEOPLE, chance.randint(1, 4))
        rows = await desk.links(
            *people, survey_id=chance.choice(("srv_rel", "srv_csat")), handed_over=chance.random() < 0.6
        )
        asked += [(row["invitation_id"], row["stakeholder_id"]) for row in rows]
        return
    ask_id, who = chance.choice(asked)
    what = chance.choice((*KINDS, "withdraw", "remove", "again"))
    if what == "answer":
        await desk.take(answer_to(ask_id, now, stakeholder_id=who))
    elif what == "withdraw":
        answer = await desk.client.post(f"/v1/asks/{ask_id}/withdraw")
        assert answer.status_code in (200, 409)
    elif what == "remove":
        await desk.take(person_removed(who, recorded_at=now))
    elif what == "again":
        await desk.take(person(who, recorded_at=now + timedelta(seconds=1)))
    else:
        at = now - timedelta(days=chance.randint(0, 3))
        await desk.take(invited(cast(InvitationKind, what), at, ask_id, stakeholder_id=who, recorded_at=now))


async def assert_sums(desk: Asking, planned: int) -> None:
    """planned is what was asked for, and every sum is that of the asks themselves."""
    everything = await all_asks(desk)
    [whole] = (await desk.get("/v1/asks/summary"))["groups"]
    assert whole["planned"] == len(everything) == planned == sum(whole[state] for state in STATES)
    assert whole["sent"] == sum(whole["outcomes"].values())
    assert Counter(ask["state"] for ask in everything) == {state: whole[state] for state in STATES if whole[state]}
    for ask in everything:
        assert (ask["reason"] is not None) == (ask["state"] in ("held", "skipped", "failed", "withdrawn"))
        assert (ask["outcome"] is not None) == (ask["state"] == "sent")
    for group_by in ("survey", "account", "owner", "tier"):
        groups = (await desk.get("/v1/asks/summary", group_by=group_by))["groups"]
        assert sum(group["planned"] for group in groups) == planned
    assert sum(reason["count"] for reason in whole["reasons"]) == planned - whole["waiting"] - whole["sent"]


async def all_asks(desk: Asking) -> list[dict[str, Any]]:
    """Every ask, page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 50}
    while True:
        page = await desk.get("/v1/asks", **query)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]

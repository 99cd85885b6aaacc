"""The states of people over random worlds: as recomputed, and as the lists filter by them."""

from random import Random
from typing import Any

from hypothesis import given

from tests.integration.scorer.reading import Reader
from tests.integration.scorer.worlds import a_world, at, exactly, question, seeds
from tests.support.reference.states import person_state


@exactly
@given(seed=seeds)
async def test_states_equal_the_recomputation(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, as_of = a_world(random), question(random)["as_of"]
    await reader.put(world)
    for item in await reader.items("/v1/stakeholders", as_of=as_of, limit=5):
        expected = person_state(world, item["account_id"], item["stakeholder_id"], moment(as_of))
        state = item["state"]
        ids = {name: state[name] and state[name]["response_id"] for name in ("latest", "previous")}
        assert {name: state[name] for name in expected} | ids == expected
        path = f"/v1/accounts/{item['account_id']}/stakeholders/{item['stakeholder_id']}"
        alone = await reader.body(path, as_of=as_of)
        assert {name: alone[name] for name in item} == item
        assert bool(alone["responses"]) is (state["days_since_answered"] is not None)


@exactly
@given(seed=seeds)
async def test_lists_filter_by_the_states_they_show(reader: Reader, seed: int) -> None:
    random = Random(seed)
    world, as_of = a_world(random), question(random)["as_of"]
    await reader.put(world)
    everybody = await reader.items("/v1/stakeholders", as_of=as_of)
    for silent in (True, False):
        shown = await reader.items("/v1/stakeholders", as_of=as_of, silent=silent, limit=3)
        assert shown == [person for person in everybody if person["state"]["silent"] is silent]
    for category in ("promoter", "passive", "detractor"):
        shown = await reader.items("/v1/stakeholders", as_of=as_of, category=category)
        assert shown == [person for person in everybody if person["state"]["category"] == category]
    listed = {key(person) for person in everybody}
    assert len(listed) == len(everybody)
    assert listed == {
        *((person.account_id, person.stakeholder_id) for person in world.people if not person.removed),
        *(
            (invite.account_id, invite.stakeholder_id)
            for invite in world.invites
            if invite.sent_at and invite.sent_at <= moment(as_of)
        ),
        *(
            (submission.account_id, submission.stakeholder_id)
            for submission in world.submissions
            if submission.live and submission.answered_at <= moment(as_of)
        ),
    }


def key(item: dict[str, Any]) -> tuple[str, str]:
    """Who it is."""
    return item["account_id"], item["stakeholder_id"]


def moment(as_of: Any) -> Any:
    """The moment looked from."""
    return at({"as_of": as_of})["as_of"]

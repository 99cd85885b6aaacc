"""The twenty touchpoints of industries, each asked by a personal link and answered on its page."""

import json

import pytest

from services.outreach.domain.templates import Preset, presets
from shared.amendments import SCALES
from tests.integration.outreach.survey_desk import LEGAL
from tests.support.outreach import Asking, account, person


async def published(desk: Asking, preset: Preset) -> str:
    """The id of the touchpoint's survey, published in English and German."""
    body = {"preset": preset.preset_id, "languages": ["en", "de"], "us": "Fast Freight", "legal": LEGAL}
    made = await desk.client.post("/v1/surveys", json=body)
    assert made.status_code == 201, made.text
    survey_id: str = made.json()["survey_id"]
    assert (await desk.client.post(f"/v1/surveys/{survey_id}/publish")).is_success
    return survey_id


@pytest.mark.parametrize("number", range(1, 21))
async def test_1b_a_touchpoint_is_asked_by_a_link_and_answered(running_desk: Asking, number: int) -> None:
    preset, desk = presets()[number - 1], running_desk
    await desk.emptied()
    await desk.take(account(name="Acme"), person("ann", type="decision_maker"))
    survey_id = await published(desk, preset)
    [row] = await desk.links("ann", survey_id=survey_id, language="de")
    page = "/s/" + row["url"].rpartition("/")[2]
    shown = await desk.client.get(page)
    assert '<html lang="de"' in shown.text
    low, high = SCALES[preset.metric]
    assert shown.text.count('name="score"') == high - low + 1
    answer = await desk.client.post(page, data={"score": str(high), "step": "score", "finished": "yes"})
    assert answer.status_code == 303
    told = [call for call in await desk.rows("outgoing", "entry") if call["path"] == "/v1/responses"]
    body = json.loads(json.dumps(told[0]["body"]))
    assert (body["survey_type"], body["score"]) == (preset.metric, high)
    assert body.get("touchpoint") == preset.touchpoint
    assert body["survey_id"] == survey_id


async def test_w1_several_people_of_one_client_are_asked_whatever_their_role(desk: Asking) -> None:
    roles = {"ann": "decision_maker", "bob": "influencer", "cid": "user"}
    await desk.take(account(), *(person(name, type=role) for name, role in roles.items()))
    rows = await desk.links(*roles)
    assert [row["problem"] for row in rows] == [None] * len(roles)
    assert len({row["url"] for row in rows}) == len(roles)

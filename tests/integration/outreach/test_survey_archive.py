"""Surveys by which nobody is asked any more, and that come back."""

from typing import Any

import pytest

from tests.integration.outreach.survey_desk import READY
from tests.support.outreach import Asking, account, person

ANN = {"people": [{"account_id": "acme", "stakeholder_id": "ann"}]}


@pytest.fixture
async def desk(running_desk: Asking) -> Asking:
    """Outreach where Ann is known."""
    await running_desk.emptied()
    await running_desk.take(account(), person())
    return running_desk


@pytest.fixture
async def path(desk: Asking) -> str:
    """The path of a survey that is published."""
    survey_id = (await desk.client.post("/v1/surveys", json=READY)).json()["survey_id"]
    assert (await desk.client.post(f"/v1/surveys/{survey_id}/publish")).is_success
    return f"/v1/surveys/{survey_id}"


async def code_of(desk: Asking, path: str, body: Any = None) -> str:
    """The code with which a call is refused."""
    answer = await desk.client.post(path, json=body or {})
    assert answer.status_code == 409, answer.text
    code: str = answer.json()["code"]
    return code


async def test_an_archived_survey_asks_nobody_and_comes_back(desk: Asking, path: str) -> None:
    archived = (await desk.client.post(f"{path}/archive")).json()
    assert archived["archived_at"] is not None
    assert archived["archived_by"].startswith("key:")
    assert await code_of(desk, f"{path}/links", ANN) == "survey_archived"
    assert await code_of(desk, f"{path}/publish") == "survey_archived"
    restored = (await desk.client.post(f"{path}/restore")).json()
    assert (restored["archived_at"], restored["archived_by"]) == (None, None)
    [row] = (await desk.client.post(f"{path}/links", json=ANN)).json()["items"]
    assert row["problem"] is None


async def test_links_that_are_out_stay_open(desk: Asking, path: str) -> None:
    [row] = (await desk.client.post(f"{path}/links", json=ANN)).json()["items"]
    assert (await desk.client.post(f"{path}/archive")).is_success
    link = "/s/" + row["url"].rpartition("/")[2]
    assert (await desk.client.get(link)).status_code == 200
    answer = await desk.client.post(link, data={"score": "9", "step": "score"})
    assert answer.status_code == 303
    assert (await desk.get(f"/v1/asks/{row['invitation_id']}"))["outcome"] == "answered"


async def test_archiving_twice_keeps_the_first_moment(desk: Asking, path: str) -> None:
    first = (await desk.client.post(f"{path}/archive")).json()
    assert (await desk.client.post(f"{path}/archive")).json() == first
    listed = (await desk.client.get("/v1/surveys")).json()["items"]
    shown = {survey["survey_id"]: survey["archived_at"] for survey in listed}
    assert shown[first["survey_id"]] == first["archived_at"]


async def test_no_business_review_is_made_by_an_archived_survey(desk: Asking, path: str) -> None:
    review = {"account_id": "acme", "held_on": "2026-03-03", "recipients": [{"stakeholder_id": "ann"}]}
    assert (await desk.client.patch(path, json={"touchpoint": "business_review"})).is_success
    assert (await desk.client.post(f"{path}/publish")).is_success
    assert (await desk.client.post(f"{path}/archive")).is_success
    assert await code_of(desk, "/v1/business-reviews", review) == "no_review_survey"
    named = review | {"survey_id": path.rpartition("/")[2]}
    assert await code_of(desk, "/v1/business-reviews", named) == "survey_archived"


@pytest.mark.parametrize("step", ["archive", "restore"])
async def test_c37_only_managers_archive(desk: Asking, path: str, step: str) -> None:
    other = await desk.with_key("read", "act")
    assert (await other.client.post(f"{path}/{step}")).status_code == 403

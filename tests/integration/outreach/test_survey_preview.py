"""The preview of a survey: what respondents will see, in every language and after every score, loading nothing."""

import re
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest

from tests.integration.outreach.survey_desk import READY, TEXTS, SurveyDesk, survey_desk, worded
from tests.support.environment import Environment

GERMAN: dict[str, Any] = deepcopy(TEXTS) | worded("Würden Sie {us} empfehlen, {name}?", "de")["de"]


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[SurveyDesk]:
    async with survey_desk(module_environment) as running:
        yield running


async def shown(desk: SurveyDesk, survey_id: str, **query: Any) -> str:
    answer = await desk.client.get(f"/v1/surveys/{survey_id}/preview", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "sandbox" in answer.headers["content-security-policy"]
    return answer.text


async def test_the_question_is_shown_in_the_language_that_is_asked_for(desk: SurveyDesk) -> None:
    survey_id = (await desk.begun(texts={"en": TEXTS, "de": GERMAN}, us="Fast & Fair"))["survey_id"]
    german = await shown(desk, survey_id, language="de-AT")
    assert '<html lang="de" dir="ltr">' in german
    assert "Würden Sie Fast &amp; Fair empfehlen, Alex Morgan?" in german
    assert german.count('type="radio" name="score"') == 11
    english = await shown(desk, survey_id)
    assert "How likely are you to recommend Fast &amp; Fair?" in english
    assert "{" not in re.sub(r"<style>.*?</style>", "", english, flags=re.DOTALL)


async def test_each_category_has_its_reason_and_thanks(desk: SurveyDesk) -> None:
    survey_id = (await desk.begun())["survey_id"]
    for category in ("promoter", "passive", "detractor"):
        page = await shown(desk, survey_id, category=category)
        assert TEXTS["reasons"][category] in page
        assert TEXTS["thanks"][category] in page
        assert TEXTS["questions"]["reliability"]["text"] in page
        assert (TEXTS["consent"] in page) == (category == "promoter")
    refused = await desk.client.get(f"/v1/surveys/{survey_id}/preview", params={"category": "satisfied"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "category")


async def test_a_version_is_shown_as_it_was_published(desk: SurveyDesk) -> None:
    survey_id = await desk.published()
    await desk.call("PATCH", f"/{survey_id}", json={"texts": worded("Would you name {us}?")})
    assert "How likely are you" in await shown(desk, survey_id, version=1)
    assert "Would you name" in await shown(desk, survey_id)
    await desk.call("GET", f"/{survey_id}/preview", 404, params={"version": 2})


async def test_texts_are_never_taken_for_html_and_nothing_is_loaded(desk: SurveyDesk) -> None:
    hostile = "<script>alert(1)</script></style><img src=x>"
    texts = deepcopy(TEXTS)
    texts["score"]["text"] = texts["reasons"]["promoter"] = texts["who_reads"] = hostile
    legal = READY["legal"] | {"legal_name": hostile}
    survey_id = (await desk.begun(texts={"en": texts}, legal=legal, us=hostile))["survey_id"]
    for query in ({}, {"category": "promoter"}):
        page = await shown(desk, survey_id, **query)
        assert "<script" not in page
        assert "<img" not in page
        assert not re.search(r"<link|<[^>]+\ssrc=|@import|url\(", page)


async def test_an_empty_draft_can_be_looked_at(desk: SurveyDesk) -> None:
    fields = {"name": "Bare", "metric": "ces", "nps_kind": "transactional"}
    survey_id = (await desk.call("POST", "", 201, json=fields))["survey_id"]
    assert (await shown(desk, survey_id)).count('type="radio" name="score"') == 7
    await shown(desk, survey_id, category="neutral", language="ar")


async def test_c37_reading_is_enough(desk: SurveyDesk) -> None:
    survey_id = await desk.published()
    reading = await desk.with_key("read", owner_email="olivia@supplier.example")
    answer = await desk.client.get(f"/v1/surveys/{survey_id}/preview", headers=reading)
    assert answer.status_code == 200

"""What a survey can begin with: every template and touchpoint becomes a survey that only lacks who asks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.outreach.domain.languages import COMPLETE, DRAFTED
from tests.integration.outreach.survey_desk import LEGAL, SurveyDesk, survey_desk
from tests.support.environment import Environment


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[SurveyDesk]:
    async with survey_desk(module_environment) as running:
        yield running


async def templates_of(desk: SurveyDesk) -> Any:
    answer = await desk.client.get("/v1/survey-templates")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_five_templates_in_four_languages_and_twenty_touchpoints_are_there(desk: SurveyDesk) -> None:
    found = await templates_of(desk)
    assert [item["template"] for item in found["templates"]] == ["relationship", "project", "csat", "ces", "review"]
    for item in found["templates"]:
        assert sorted(item["survey"]["texts"]) == sorted(COMPLETE)
    assert len({item["preset_id"] for item in found["presets"]}) == len(found["presets"]) == 20
    assert len(found["wordings"]) == 12
    assert {item["language"] for item in found["drafts"]} == set(DRAFTED)
    for item in found["questions"]:
        assert sorted(item["texts"]) == sorted(COMPLETE)


async def test_each_can_be_published_once_it_is_said_who_asks(desk: SurveyDesk) -> None:
    found = await templates_of(desk)
    beginnings = [{"template": item["template"]} for item in found["templates"]]
    for item in found["presets"]:
        beginnings += [{"preset": item["preset_id"], "metric": metric} for metric in (item["metric"], *item["also"])]
    for beginning in beginnings:
        begun = await desk.call("POST", "", 201, json=beginning)
        assert {fault["field"].split(".")[0] for fault in begun["faults"]} <= {"legal"}, beginning
        assert begun["draft"]["metric"] == beginning.get("metric", begun["draft"]["metric"])
        path = f"/{begun['survey_id']}"
        ready = await desk.call("PATCH", path, json={"legal": LEGAL})
        assert (ready["draft"]["legal"], ready["faults"]) == (LEGAL, [])
        assert (await desk.call("POST", f"{path}/publish"))["version"] == 1


async def test_q8_and_every_other_ready_made_question_can_be_added(desk: SurveyDesk) -> None:
    begun = await desk.call("POST", "", 201, json={"template": "csat", "legal": LEGAL})
    for item in (await templates_of(desk))["questions"]:
        texts = begun["draft"]["texts"]
        question_id = item["question"]["question_id"]
        added = {
            language: texts[language] | {"questions": {question_id: item["texts"][language]}} for language in texts
        }
        path = f"/{begun['survey_id']}"
        patched = await desk.call("PATCH", path, json={"questions": [item["question"]], "texts": added})
        assert patched["faults"] == []


async def test_other_languages_bring_the_nps_question_as_a_draft(desk: SurveyDesk) -> None:
    fields = {"template": "relationship", "languages": ["de", "it", "sk", "de"], "name": "Ours"}
    draft = (await desk.call("POST", "", 201, json=fields))["draft"]
    assert (set(draft["texts"]), draft["default_language"], draft["name"]) == ({"de", "it", "sk"}, "de", "Ours")
    italian = draft["texts"]["it"]
    assert italian["score"]["text"].startswith("Con quale probabilità")
    assert italian["reviewed_by"] is None
    assert draft["texts"]["sk"]["score"]["text"] == ""
    effort = (await desk.call("POST", "", 201, json={"template": "ces", "languages": ["en", "it"]}))["draft"]
    assert effort["texts"]["it"]["score"]["text"] == "", "the draft asks the NPS question"


async def test_c36_who_reads_is_told_as_in_the_survey_published_last(desk: SurveyDesk) -> None:
    begun = await desk.call("POST", "", 201, json={"template": "project", "languages": ["en", "de"], "legal": LEGAL})
    texts = begun["draft"]["texts"]
    texts["en"] |= {"who_reads": "{account} is read by Clara and {us}."}
    path = f"/{begun['survey_id']}"
    await desk.call("PATCH", path, json={"texts": texts})
    desk.clock.advance(timedelta(minutes=1))
    await desk.call("POST", f"{path}/publish")
    following = await desk.call("POST", "", 201, json={"template": "relationship"})
    assert following["draft"]["texts"]["en"]["who_reads"] == "{account} is read by Clara and {us}."
    assert following["draft"]["legal"] == LEGAL
    assert following["faults"] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"template": "horoscope"}, "template"),
        ({"preset": "horoscope"}, "preset"),
        ({"preset": "saas_support", "metric": "nps"}, "preset"),
        ({"template": "ces", "preset": "saas_support"}, "preset"),
        ({"template": "ces", "languages": []}, "languages"),
        ({"template": "ces", "languages": ["en", "english"]}, "languages.1"),
    ],
)
async def test_what_is_not_there_to_begin_with_is_refused(desk: SurveyDesk, fields: dict[str, Any], field: str) -> None:
    refused = await desk.call("POST", "", 422, json=fields)
    assert [error["field"] for error in refused["errors"]] == [field]

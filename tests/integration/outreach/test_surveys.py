"""Surveys through the API: drafts, revisions, what forbids publishing, and versions that never change."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.events.directory import StakeholderUpserted
from shared.events.envelope import Event
from shared.ids import uuid7
from shared.kafka.producer import Publisher
from shared.topics import DIRECTORY, STAKEHOLDER_UPSERTED
from tests.integration.outreach.survey_desk import LEGAL, NOW, READY, TEXTS, SurveyDesk, survey_desk, worded
from tests.support.environment import Environment
from tests.support.events import record_of
from tests.support.polling import eventually


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[SurveyDesk]:
    async with survey_desk(module_environment) as running:
        yield running


async def test_a_survey_is_begun_read_and_changed_and_says_who_did_it(desk: SurveyDesk) -> None:
    begun = await desk.begun()
    assert (begun["state"], begun["revision"], begun["current_version"]) == ("draft", 1, None)
    assert begun["draft"]["texts"]["en"]["score"]["text"] == TEXTS["score"]["text"]
    assert (begun["faults"], begun["has_changes"]) == ([], True)
    path = f"/{begun['survey_id']}"
    desk.clock.advance(timedelta(hours=1))
    other = await desk.with_key("read", "manage")
    changed = await desk.call("PATCH", path, json={"ratings_asked": 1, "name": "Autumn"}, headers=other)
    assert (changed["revision"], changed["draft"]["ratings_asked"], changed["name"]) == (2, 1, "Autumn")
    assert changed["draft"]["texts"] == begun["draft"]["texts"], "what is not given stays"
    assert changed["updated_at"] > changed["created_at"]
    assert changed["created_by"] == begun["created_by"] != changed["updated_by"]
    assert await desk.call("GET", path) == changed


async def test_the_same_draft_again_makes_no_revision(desk: SurveyDesk) -> None:
    begun = await desk.begun()
    same = await desk.call("PATCH", f"/{begun['survey_id']}", json={"name": begun["name"], "texts": {"en": TEXTS}})
    assert same == begun


async def test_a_stale_edit_is_refused_and_changes_nothing(desk: SurveyDesk) -> None:
    begun = await desk.begun()
    path = f"/{begun['survey_id']}"
    tag = (await desk.client.get(f"/v1/surveys{path}")).headers["etag"]
    assert tag == '"1"'
    await desk.call("PATCH", path, json={"name": "Mine"}, headers={"If-Match": tag})
    for method, call, options in (
        ("PATCH", path, {"json": {"name": "Theirs"}, "headers": {"If-Match": tag}}),
        ("PATCH", path, {"json": {"name": "Theirs", "revision": 1}}),
        ("POST", f"{path}/publish", {"json": {"revision": 1}}),
        ("DELETE", path, {"headers": {"If-Match": tag}}),
    ):
        refused = await desk.call(method, call, 409, **options)
        assert refused["code"] == "stale_version"
    assert (await desk.call("GET", path))["name"] == "Mine"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"metric": "stars"}, "metric", "literal_error"),
        ({"questions": [{"question_id": "again", "type": "rating"}]}, "questions.0.attribute", "missing"),
        ({"texts": {"english": TEXTS}}, "texts.(unnamed)", "invalid_language"),
        ({"texts": worded("How likely is {colour}?")}, "texts.en.score.text", "unknown_placeholder"),
        ({"legal": LEGAL | {"imprint_url": "http://plain.example"}}, "legal.imprint_url", "invalid_url"),
        ({"shade": "red"}, "shade", "unknown_field"),
        ({"colour": "red"}, "colour", "invalid_colour"),
        ({"name": ""}, "name", "missing"),
        ({"ratings_asked": "2"}, "ratings_asked", "int_type"),
    ],
)
async def test_a_survey_that_makes_no_sense_is_refused_by_field(
    desk: SurveyDesk, fields: dict[str, Any], field: str, code: str
) -> None:
    before = await desk.number("select count(*) from surveys")
    begun = await desk.begun()
    for method, path, body in (("POST", "", READY | fields), ("PATCH", f"/{begun['survey_id']}", fields)):
        refused = await desk.call(method, path, 422, json=body)
        assert (field, code) in [(error["field"], error["code"]) for error in refused["errors"]]
    assert await desk.number("select count(*) from surveys") == before + 1
    assert await desk.call("GET", f"/{begun['survey_id']}") == begun


async def test_c16_a_second_score_is_refused(desk: SurveyDesk) -> None:
    for kind in ("nps", "csat"):
        refused = await desk.call(
            "POST", "", 422, json=READY | {"metric": "csat", "questions": [{"question_id": "q", "type": kind}]}
        )
        assert [error["code"] for error in refused["errors"] if error["field"] == "questions.0.type"]


async def test_c36_what_the_law_wants_and_what_nobody_could_read_forbid_publishing(desk: SurveyDesk) -> None:
    texts = {"en": {name: text for name, text in TEXTS.items() if name not in ("who_reads", "fallbacks")}}
    legal = dict.fromkeys(LEGAL, "")
    begun = await desk.begun(texts=texts, legal=legal)
    refused = await desk.call("POST", f"/{begun['survey_id']}/publish", 422)
    assert refused["code"] == "survey_not_ready"
    found = {(error["field"], error["code"]) for error in refused["errors"]}
    assert found >= {
        *((f"legal.{name}", "missing") for name in LEGAL),
        ("texts.en.who_reads", "missing"),
        ("texts.en.fallbacks.us", "missing_fallback"),
    }
    assert refused["errors"] == begun["faults"], "the draft says so before"
    assert (await desk.call("GET", f"/{begun['survey_id']}"))["current_version"] is None


async def test_warnings_are_told_with_every_answer_and_forbid_nothing(desk: SurveyDesk) -> None:
    texts = {"en": TEXTS | {"reviewed_by": None, "score": {"text": "How much do you love our great service?"}}}
    begun = await desk.begun(texts=texts)
    codes = {warning["code"] for warning in begun["warnings"]}
    assert codes == {"draft_translation", "leading_wording", "missing_end_labels"}
    path = f"/{begun['survey_id']}"
    published = await desk.call("POST", f"{path}/publish")
    version = await desk.call("GET", f"{path}/versions/1")
    for told in (await desk.call("GET", path), await desk.call("PATCH", path, json={}), published, version):
        assert told["warnings"] == begun["warnings"]


async def test_c21_q13_a_published_version_is_frozen_and_the_next_says_which_wordings_changed(desk: SurveyDesk) -> None:
    begun = await desk.begun(texts={"en": TEXTS, **worded("Würden Sie uns empfehlen?", "de")})
    path = f"/{begun['survey_id']}"
    first = await desk.call("POST", f"{path}/publish")
    assert (first["version"], first["changed_wordings"], first["document"]) == (1, [], begun["draft"])
    shown = await desk.call("GET", path)
    assert (shown["state"], shown["current_version"], shown["has_changes"]) == ("published", 1, False)
    assert (shown["published_at"], shown["published_by"]) == (first["published_at"], begun["created_by"])

    edited = await desk.call("PATCH", path, json={"texts": {**worded("Would you recommend {us}?"), "fr": TEXTS}})
    assert (edited["has_changes"], edited["current_version"]) == (True, 1)
    assert await desk.call("GET", f"{path}/versions/1") == first
    desk.clock.advance(timedelta(days=1))
    second = await desk.call("POST", f"{path}/publish", json={"revision": edited["revision"]})
    assert second["version"] == 2
    change = {
        "language": "en",
        "field": "score.text",
        "before": TEXTS["score"]["text"],
        "after": "Would you recommend {us}?",
    }
    assert second["changed_wordings"] == [change], "languages that come and go change no wording"
    assert await desk.call("GET", f"{path}/versions/1") == first
    assert await desk.call("GET", f"{path}/versions/2") == second
    listed = await desk.call("GET", f"{path}/versions")
    assert [(item["version"], item["changed_wordings"]) for item in listed["items"]] == [(2, [change]), (1, [])]


async def test_publishing_twice_makes_one_version(desk: SurveyDesk) -> None:
    begun = await desk.begun()
    first = await desk.call("POST", f"/{begun['survey_id']}/publish")
    desk.clock.advance(timedelta(minutes=1))
    assert await desk.call("POST", f"/{begun['survey_id']}/publish") == first
    assert len((await desk.call("GET", f"/{begun['survey_id']}/versions"))["items"]) == 1


async def test_a_copy_begins_anew_and_leaves_the_original(desk: SurveyDesk) -> None:
    survey_id = await desk.published()
    original = await desk.call("GET", f"/{survey_id}")
    copied = await desk.call("POST", f"/{survey_id}/duplicate", 201)
    named = await desk.call("POST", f"/{survey_id}/duplicate", 201, json={"name": "Autumn"})
    assert (copied["name"], named["name"]) == (f"Copy of {original['name']}", "Autumn")
    assert (copied["state"], copied["revision"], copied["current_version"]) == ("draft", 1, None)
    assert copied["draft"] == original["draft"] | {"name": copied["name"]}
    await desk.call("PATCH", f"/{copied['survey_id']}", json={"ratings_asked": 0})
    assert await desk.call("GET", f"/{survey_id}") == original


async def test_a_survey_by_which_nobody_was_asked_can_be_removed(desk: SurveyDesk) -> None:
    for survey_id in ((await desk.begun())["survey_id"], await desk.published()):
        await desk.call("DELETE", f"/{survey_id}", 204)
        await desk.call("GET", f"/{survey_id}", 404)


async def test_c36_the_next_survey_begins_with_the_legal_details_of_the_one_published_last(desk: SurveyDesk) -> None:
    legal = LEGAL | {"legal_name": "Fast Freight GmbH"}
    await desk.published(legal=legal, us="Fast Freight")
    desk.clock.advance(timedelta(minutes=1))
    await desk.begun(legal=LEGAL | {"legal_name": "Never published"})
    fields = {"name": "Next", "metric": "nps", "nps_kind": "project"}
    following = await desk.call("POST", "", 201, json=fields)
    assert (following["draft"]["legal"], following["draft"]["us"]) == (legal, "Fast Freight")
    given = await desk.call("POST", "", 201, json=fields | {"us": "We", "legal": LEGAL})
    assert (given["draft"]["legal"], given["draft"]["us"]) == (LEGAL, "We")


async def test_the_list_has_every_survey_page_by_page(environment: Environment) -> None:
    async with survey_desk(environment) as desk:
        made = []
        for number in range(5):
            desk.clock.advance(timedelta(seconds=number % 2))
            made.append((await desk.begun(name=f"Survey {number}"))["survey_id"])
        await desk.call("POST", f"/{made[2]}/publish")
        listed: list[Any] = []
        cursor = None
        while cursor is not None or not listed:
            params = {"limit": "2"}
            if cursor is not None:
                params["cursor"] = cursor
            page = await desk.call("GET", "", params=params)
            listed += page["items"]
            cursor = page["next_cursor"]
        assert [item["survey_id"] for item in listed] == list(reversed(made))
        assert [item["state"] for item in listed].count("published") == 1
        assert listed[0]["languages"] == ["en"]
        assert "draft" not in listed[0]


async def test_an_empty_installation_has_no_survey(environment: Environment) -> None:
    async with survey_desk(environment) as desk:
        assert await desk.call("GET", "") == {"items": [], "next_cursor": None}


async def test_c37_only_manage_writes_and_a_key_of_one_owner_only_reads(desk: SurveyDesk) -> None:
    survey_id = await desk.published()
    actor = await desk.with_key("ingest", "read", "act")
    limited = await desk.with_key("read", "act", "manage", owner_email="olivia@supplier.example")
    for headers in (actor, limited):
        for path in ("", f"/{survey_id}", f"/{survey_id}/versions", f"/{survey_id}/versions/1"):
            await desk.call("GET", path, headers=headers)
        await desk.call("POST", "", 403, json=READY, headers=headers)
        await desk.call("PATCH", f"/{survey_id}", 403, json={"name": "Mine"}, headers=headers)
        await desk.call("DELETE", f"/{survey_id}", 403, headers=headers)
        await desk.call("POST", f"/{survey_id}/duplicate", 403, headers=headers)
        await desk.call("POST", f"/{survey_id}/publish", 403, headers=headers)
    ingesting = await desk.with_key("ingest")
    await desk.call("GET", f"/{survey_id}", 403, headers=ingesting)


@pytest.mark.parametrize("survey_id", ["srv_0", "srv_" + "0" * 32, "%00", "é"])
async def test_an_unknown_survey_is_not_found(desk: SurveyDesk, survey_id: str) -> None:
    for method, path in (
        *(("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/duplicate"), ("POST", "/publish")),
        *(("GET", "/versions"), ("GET", "/versions/1")),
    ):
        options: dict[str, Any] = {}
        if method == "PATCH":
            options = {"json": {"name": "x"}}
        answer = await desk.client.request(method, f"/v1/surveys/{survey_id}{path}", **options)
        assert answer.status_code in (404, 422), answer.text


async def test_a_language_of_the_contacts_that_the_survey_lacks_is_warned_of(environment: Environment) -> None:
    async with survey_desk(environment) as desk:
        survey_id = await desk.published(texts={"en": TEXTS, "pt-PT": TEXTS})
        languages = ("pl", "pt-BR", "en", "Klingon", None)
        publisher = Publisher(environment.kafka, environment.topic_prefix)
        await publisher.start()
        for number, language in enumerate(languages):
            data = StakeholderUpserted(
                account_id="acme",
                stakeholder_id=f"p{number}",
                language=language,
                event_id=uuid7(),
                recorded_at=NOW,
            )
            event = Event(data.event_id, STAKEHOLDER_UPSERTED, "/tests", NOW, "acme", data)
            await publisher.send(record_of(event, DIRECTORY))
        await publisher.stop()

        async def everybody_is_known() -> bool:
            return await desk.number("select count(*) from stakeholders") == len(languages)

        await eventually(everybody_is_known)
        for told in (
            await desk.call("GET", f"/{survey_id}"),
            await desk.call("GET", f"/{survey_id}/versions/1"),
            await desk.call("POST", f"/{survey_id}/publish"),
        ):
            assert [item["field"] for item in told["warnings"] if item["code"] == "missing_language"] == ["texts.pl"]


async def test_of_two_who_change_the_same_revision_at_once_one_is_refused(desk: SurveyDesk) -> None:
    path = f"/v1/surveys/{(await desk.begun())['survey_id']}"
    edits = [desk.client.patch(path, json={"revision": 1, "name": name}) for name in ("Mine", "Theirs", "Hers")]
    answers = await asyncio.gather(*edits)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    kept = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await desk.client.get(path)).json() == kept


async def test_of_two_who_publish_at_once_both_get_the_same_version(desk: SurveyDesk) -> None:
    path = f"/{(await desk.begun())['survey_id']}"
    first, second = await asyncio.gather(*(desk.call("POST", f"{path}/publish") for _ in range(2)))
    assert first == second
    assert [item["version"] for item in (await desk.call("GET", f"{path}/versions"))["items"]] == [1]

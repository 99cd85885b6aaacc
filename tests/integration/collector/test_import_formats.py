"""Files of other tools through the whole import: kept ids and dates, and skipped rows."""

from typing import Any

from shared.events.responses import ResponseRecorded
from shared.topics import RESPONSES
from tests.integration.collector.conftest import Running
from tests.integration.collector.test_imports import counts
from tests.support.polling import eventually
from tests.support.problems import assert_problem, field_codes
from tests.unit.collector.test_formats import DELIGHTED, POSTHOG


async def imported(collector: Running, content: str, **form: Any) -> dict[str, Any]:
    answer = await collector.client.post(
        "/v1/imports", data={"kind": "responses"} | form, files={"file": ("export.csv", content)}
    )
    assert answer.status_code == 202, answer.text

    async def ended() -> dict[str, Any]:
        job: dict[str, Any] = (await collector.client.get(answer.headers["location"])).json()
        return job if job["state"] in ("done", "failed") else {}

    return await eventually(ended, timeout=30)


async def test_an_export_of_posthog_brings_its_completed_answers_once(collector: Running) -> None:
    job = await imported(collector, POSTHOG, format="posthog")
    assert counts(job) == ("done", 1, 2, 0)
    assert [(problem["line"], problem["code"]) for problem in job["problems"]] == [
        (2, "not_an_answer"),
        (3, "not_an_answer"),
    ]
    [event] = await collector.events(RESPONSES, 1)
    assert isinstance(event.data, ResponseRecorded)
    assert (event.data.response_id, event.data.account_id, event.data.survey_id) == ("sub1", "acme", "s1")


async def test_an_export_of_delighted_has_ids_that_stay_the_same_and_its_dates(collector: Running) -> None:
    job = await imported(collector, DELIGHTED, format="delighted")
    assert counts(job) == ("done", 2, 0, 0)
    events = await collector.events(RESPONSES, 2)
    answers = sorted((event.data for event in events if isinstance(event.data, ResponseRecorded)), key=str)
    assert {answer.response_id for answer in answers} == {"delighted:5435", "delighted:5436"}
    assert {answer.answered_at.year for answer in answers} == {2024}


async def test_a_format_is_of_responses_and_known(shared_collector: Running) -> None:
    for form, field in (
        ({"kind": "accounts", "format": "delighted"}, "format"),
        ({"kind": "responses", "format": "x"}, "format"),
    ):
        files = {"file": ("a.csv", DELIGHTED)}
        answer = await shared_collector.client.post("/v1/imports", data=form, files=files)
        assert field in field_codes(assert_problem(answer, 422, "invalid_request"))

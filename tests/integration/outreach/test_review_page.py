"""The page of a business review: what a recipient sees, what counts as opened, and how the question is answered."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.outreach.review_desk import PEOPLE, ReviewDesk, ask_ids, review_desk
from tests.support.environment import Environment

ACTION = re.compile(r'<form method="post" action="\.\.(/s/[A-Za-z0-9_-]{44})">')
RATINGS = ("service", "relationship", "value", "quality")


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[ReviewDesk]:
    async with review_desk(module_environment) as running:
        yield running


def path_of(review: Any) -> str:
    """The path of the first recipient's page."""
    url: str = review["recipients"][0]["url"]
    return urlsplit(url).path


async def state(desk: ReviewDesk) -> list[Any]:
    """All that a page could change."""
    rows = [
        await desk.rows("select * from asks order by ask_id"),
        await desk.rows("select key, service, method, path, body, state from outgoing order by entry"),
    ]
    return [[dict(row) for row in table] for table in rows]


async def shown(desk: ReviewDesk, path: str, status: int = 200) -> httpx.Response:
    """A page that answers so."""
    answer = await desk.client.get(path, headers={"authorization": ""})
    assert answer.status_code == status, answer.text
    return answer


async def test_r3_c34_the_page_shows_the_copy_and_ends_with_the_question_and_four_ratings(desk: ReviewDesk) -> None:
    review = await desk.made(comments=["a1"], intro="Thank you for the talk.")
    answer = await shown(desk, path_of(review))
    page = answer.text
    assert "Your score is 25, as before." in page
    assert "Promoters: 2" in page
    assert "Became detractors: 1" in page
    for text in (
        "Acme Logistics",
        "Thank you for the talk.",
        "a colleague waits for days.",
        "A driver for a colleague",
    ):
        assert text in page
    for name in (*PEOPLE.values(), "@acme.example"):
        assert name not in page
    positions = [page.index('name="score"'), *(page.index(f'name="q.{rating}"') for rating in RATINGS)]
    assert positions == sorted(positions)
    assert positions[0] > page.index("A driver for a colleague")


async def test_the_headers_of_the_page_let_its_script_tell_nobody_else(desk: ReviewDesk) -> None:
    answer = await shown(desk, path_of(await desk.made()))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    for asset in re.findall(r'"\.\.(/[rs]/(?:page|review)-[0-9a-f]{12}\.(?:css|js))"', answer.text):
        assert "immutable" in (await shown(desk, asset)).headers["cache-control"]


async def test_c34_loading_the_page_changes_nothing_however_often(desk: ReviewDesk) -> None:
    path = path_of(await desk.made())
    before = await state(desk)
    for _ in range(10):
        await shown(desk, path)
        await shown(desk, f"{path}?lang=de")
        await desk.client.head(path)
    await desk.client.post(path, data={"score": "0"})
    assert await state(desk) == before


async def test_c34_the_first_movement_counts_as_opened_once(desk: ReviewDesk) -> None:
    review = await desk.made()
    path, (ask_id,) = path_of(review), ask_ids(review)
    for _ in range(2):
        answer = await desk.client.post(path, data={"opened": "yes"})
        assert (answer.status_code, answer.content) == (204, b"")
    (fact,) = await desk.calls("acme", f"fact:{ask_id}:opened")
    assert fact["body"] == {
        "invitation_id": str(ask_id),
        "account_id": "acme",
        "stakeholder_id": "ann",
        "kind": "opened",
        "at": "2026-06-01T12:00:00Z",
        "survey_id": desk.survey_id,
        "channel": "review",
    }
    seen = await desk.call("GET", f"/{review['review_id']}")
    assert (seen["opened_count"], seen["answered_count"]) == (1, 0)
    assert seen["recipients"][0]["opened_at"] == "2026-06-01T12:00:00Z"


async def test_r4_the_answer_is_that_of_the_survey_and_says_that_it_came_by_a_review(desk: ReviewDesk) -> None:
    review = await desk.made()
    path, (ask_id,) = path_of(review), ask_ids(review)
    action = ACTION.search((await shown(desk, path)).text)
    assert action is not None
    form = {"lang": "en", "step": "score", "score": "9"} | {f"q.{rating}": "4" for rating in RATINGS}
    sent = await desk.client.post(action[1], data=form)
    assert sent.status_code == 303
    (call,) = await desk.calls("acme", f"{ask_id}:0")
    body = call["body"]
    assert (call["path"], body["score"], body["channel"], body["survey_id"]) == (
        "/v1/responses",
        9,
        "review",
        desk.survey_id,
    )
    assert (body["touchpoint"], body["invitation_id"]) == ("business_review", str(ask_id))
    assert [(entry["attribute"], entry["value"]) for entry in body["answers"]] == [(name, 4) for name in RATINGS]
    page = (await shown(desk, path)).text
    assert "You answered on 1 June 2026. Thank you." in page
    assert action[1] in page
    assert "<form" not in page
    seen = await desk.call("GET", f"/{review['review_id']}")
    assert (seen["opened_count"], seen["answered_count"]) == (1, 1)


async def test_an_answer_stays_when_its_review_is_taken_back_and_the_other_links_end(desk: ReviewDesk) -> None:
    review = await desk.made(recipients=[{"stakeholder_id": "ann"}, {"stakeholder_id": "ben"}])
    action = ACTION.search((await shown(desk, path_of(review))).text)
    assert action is not None
    await desk.client.post(action[1], data={"lang": "en", "step": "score", "score": "3"})
    await desk.call("POST", f"/{review['review_id']}/withdraw")
    for recipient in review["recipients"]:
        assert "withdrawn" in (await shown(desk, urlsplit(recipient["url"]).path, 410)).text
    (first, second) = ask_ids(review)
    assert [call["key"] for call in await desk.calls("acme", f"fact:{second}:expired")] == [f"fact:{second}:expired"]
    assert await desk.calls("acme", f"fact:{first}:expired") == []
    change = await desk.client.post(action[1], data={"lang": "en", "step": "score", "score": "9"})
    assert change.status_code == 410, "what was answered by a review that was taken back is not changed any more"
    [ask] = await desk.rows("select answer from asks where ask_id = :id", id=first)
    assert ask["answer"]["score"] == 3
    assert (await desk.client.post(path_of(review), data={"opened": "yes"})).status_code == 204
    assert await desk.calls("acme", f"fact:{first}:opened") == []


async def test_a_link_of_another_kind_or_of_a_person_who_is_gone_shows_nothing(desk: ReviewDesk) -> None:
    review = await desk.made(recipients=[{"stakeholder_id": "dee"}])
    path = path_of(review)
    await shown(desk, path.replace("/r/", "/s/"), 404)
    await shown(desk, "/r/" + "A" * 44, 404)
    await desk.write("delete from asks where ask_id = :ask", ask=ask_ids(review)[0])
    assert "closed" in (await shown(desk, path, 410)).text


async def test_the_links_work_for_45_days_and_an_answer_may_be_changed_for_30(desk: ReviewDesk) -> None:
    review, other = await desk.made(), await desk.made()
    path = path_of(review)
    action = ACTION.search((await shown(desk, path)).text)
    assert action is not None
    await desk.client.post(action[1], data={"lang": "en", "step": "score", "score": "9"})
    desk.clock.advance(timedelta(days=31))
    page = (await shown(desk, path)).text
    assert "You answered on 1 June 2026." in page
    assert action[1] not in page
    assert "<form" in (await shown(desk, path_of(other))).text
    desk.clock.advance(timedelta(days=15))
    await shown(desk, path, 410)
    assert (await desk.client.post(path_of(other), data={"opened": "yes"})).status_code == 204
    assert await desk.calls("acme", f"fact:{ask_ids(other)[0]}:opened") == []

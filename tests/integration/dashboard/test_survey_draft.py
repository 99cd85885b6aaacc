"""Nothing that somebody types into a survey is lost: neither to a failure nor to somebody else's change."""

import json
from collections.abc import AsyncIterator

import pytest

from services.dashboard.domain.survey_texts import text_at
from services.dashboard.web.resources import Resources
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.draft import CONFLICT, Draft
from services.dashboard.web.surveys.listing import surveys
from tests.integration.dashboard.fake_services import FakeServices
from tests.integration.dashboard.pages import shown
from tests.support.survey_answers import DRAFT, FAULT, SURVEY, SURVEY_ID

PATH = f"/v1/surveys/{SURVEY_ID}"
SCORE = ("texts", "en", "score", "text")


@pytest.fixture
async def visit(resources: Resources, services: FakeServices) -> AsyncIterator[Visit]:
    """Somebody with an open page."""
    async with shown(resources, services, surveys, {}) as page:
        yield page.visit


@pytest.fixture
async def draft(visit: Visit, services: FakeServices) -> Draft:
    """The draft that they edit, loaded."""
    services.answers[PATH] = SURVEY
    made = Draft(visit, SURVEY_ID)
    await made.load(await visit.api())
    services.asked.clear()
    return made


def sent(services: FakeServices) -> list[dict[str, object]]:
    """The bodies of the changes that were sent."""
    return [json.loads(request.content) for request in services.asked if request.method == "PATCH"]


async def test_what_was_typed_is_sent_with_the_revision_that_was_seen(draft: Draft, services: FakeServices) -> None:
    draft.put(SCORE, "How sure …?")
    services.answers[PATH] = SURVEY | {"revision": 4}
    assert await draft.save()
    assert await draft.save(), "nothing is left to save"
    assert [body["revision"] for body in sent(services)] == [3]
    assert text_at(sent(services)[0], SCORE) == "How sure …?"
    assert draft.survey.revision == 4


async def test_a_change_by_somebody_else_takes_nothing_away(draft: Draft, services: FakeServices) -> None:
    draft.put(SCORE, "Mine")
    services.refused[PATH] = (409, {"code": "stale_version", "detail": "changed meanwhile"})
    assert not await draft.save()
    assert (draft.status, draft.is_stale, text_at(draft.document, SCORE)) == (CONFLICT, True, "Mine")

    services.refused.clear()
    services.answers[PATH] = SURVEY | {"revision": 7}
    await draft.keep_mine()
    assert sent(services)[-1]["revision"] == 7
    assert text_at(sent(services)[-1], SCORE) == "Mine"
    assert not draft.is_stale


async def test_one_may_take_what_somebody_else_saved(draft: Draft, services: FakeServices) -> None:
    draft.put(SCORE, "Mine")
    services.refused[PATH] = (409, {"code": "stale_version", "detail": "changed meanwhile"})
    assert not await draft.save()
    services.refused.clear()
    services.answers[PATH] = SURVEY | {"revision": 7, "draft": DRAFT | {"name": "Theirs"}}
    await draft.take_theirs()
    assert (draft.document["name"], text_at(draft.document, SCORE)) == ("Theirs", "How likely …?")
    assert await draft.save()
    assert len(sent(services)) == 1, "there is nothing of mine to save"


async def test_a_page_that_loads_again_keeps_what_is_not_saved_yet(
    visit: Visit, draft: Draft, services: FakeServices
) -> None:
    draft.put(SCORE, "Half a sent")
    before = await draft.load(await visit.api())
    services.answers[PATH] = SURVEY | {"revision": 9}
    assert await draft.load(await visit.api()) == before, "the form is not drawn again"
    assert text_at(draft.document, SCORE) == "Half a sent"


async def test_a_refused_text_is_said_and_stays(draft: Draft, services: FakeServices) -> None:
    draft.put(SCORE, "Hello {nobody}")
    services.refused[PATH] = (422, {"code": "invalid", "detail": "no", "errors": [FAULT]})
    assert not await draft.save()
    assert [fault.detail for fault in draft.refused] == ["say who asks"]
    assert text_at(draft.document, SCORE) == "Hello {nobody}"


async def test_while_outreach_is_away_what_was_typed_stays(draft: Draft, services: FakeServices) -> None:
    draft.put(SCORE, "Mine")
    services.broken.add(PATH)
    assert not await draft.save()
    assert draft.status == "Not saved yet: The service for surveys is not reachable. What you typed is still here."
    services.broken.clear()
    assert await draft.save()
    assert text_at(sent(services)[-1], SCORE) == "Mine"

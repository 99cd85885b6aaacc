"""The last page by category: what happens next, who calls, what may be quoted, and when one is asked again."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.outreach.domain.surveys import NPS_CATEGORIES, Survey
from tests.integration.outreach.conftest import NOW
from tests.support.clock import FrozenClock
from tests.support.respondents import Respondents, relationship

SCORES = {"promoter": "9", "passive": "8", "detractor": "3"}
OFFERED, OWN = "https://calls.example/all", "https://calls.example/robin"
REVIEWS = "https://reviews.example/supplier"


def offering() -> Survey:
    """The survey with a call for detractors, and public reviews."""
    return replace(relationship(), booking_url=OFFERED, booking_for=("detractor",), public_review_url=REVIEWS)


@pytest.fixture(scope="module")
async def offered(module_site: Respondents) -> Respondents:
    await module_site.publish(offering(), version=2)
    return module_site


async def put_directory(site: Respondents, type_: str = "user", **attributes: str) -> None:
    """Acme with its owner, its sponsor and Ada."""
    record = json.dumps({"attributes": attributes})
    await site.rows(
        "insert into accounts (account_id, name, owner_name, sponsor_name, record, recorded_at, event_id)"
        " values ('acme', 'Acme', 'Robin Hale', 'Kim Lee', $1, $2, gen_random_uuid())", record, NOW,
    )  # fmt: skip
    await site.rows(
        "insert into stakeholders (account_id, stakeholder_id, name, type, record, recorded_at, event_id)"
        " values ('acme', 'ada', 'Ada', $1, '{}', $2, gen_random_uuid())", type_, NOW,
    )  # fmt: skip


async def thanked(site: Respondents, category: str, **columns: Any) -> str:
    """The last page for somebody who has answered so."""
    link = site.link(await site.ask(**{"version": 2, **columns}))
    answer = await site.post(link, score=SCORES[category], step="details", finished="yes", lang="en")
    assert answer.status_code == 303, answer.text
    page = await site.client.get(f"{link}{answer.headers['location']}")
    assert page.status_code == 200
    return page.text


async def test_f1_a_detractor_reads_that_the_sponsor_reads_it_today(site: Respondents, offered: Respondents) -> None:
    await put_directory(site)
    assert "Kim Lee will read this today" in await thanked(site, "detractor")
    assert "Kim Lee" not in await thanked(site, "promoter")


async def test_f1_without_a_sponsor_it_is_the_account_manager(site: Respondents, offered: Respondents) -> None:
    assert "Your account manager will read this today" in await thanked(site, "detractor")


async def test_q5_each_category_is_asked_for_its_reason(site: Respondents, offered: Respondents) -> None:
    questions = {
        "promoter": "What do you value most about working with us?",
        "passive": "What is missing for a 9?",
        "detractor": "What should we put right first?",
    }
    for category, question in questions.items():
        link = site.link(await site.ask(version=2))
        answer = await site.post(link, score=SCORES[category], step="score", lang="en")
        assert question in (await site.client.get(f"{link}{answer.headers['location']}")).text


@pytest.mark.parametrize(("type_", "day"), [("user", "22 May 2026"), ("decision_maker", "20 August 2026")])
async def test_f1_everybody_reads_when_they_are_asked_again(
    site: Respondents, offered: Respondents, type_: str, day: str
) -> None:
    await put_directory(site, type_)
    for category in NPS_CATEGORIES:
        assert f"We will not send you this survey again before {day}." in await thanked(site, category)


async def test_a_review_promises_no_rest(site: Respondents, offered: Respondents) -> None:
    """No quarantine stands against a business review."""
    assert "again before" not in await thanked(site, "promoter", origin="review", channel="review")


async def test_a2_f3_a_call_is_offered_to_the_categories_that_the_survey_names(
    site: Respondents, offered: Respondents
) -> None:
    assert f'href="{OFFERED}"' in await thanked(site, "detractor")
    assert OFFERED not in await thanked(site, "promoter")
    assert OFFERED not in await thanked(site, "detractor", version=1)


async def test_f3_the_booking_address_of_an_account_wins(site: Respondents, offered: Respondents) -> None:
    await put_directory(site, booking_url=OWN)
    assert f'href="{OWN}"' in await thanked(site, "detractor")
    assert OWN not in await thanked(site, "passive")


async def test_an_address_that_is_no_https_is_not_shown(site: Respondents, offered: Respondents) -> None:
    await put_directory(site, booking_url="javascript:alert(1)")
    page = await thanked(site, "detractor")
    assert "javascript:" not in page
    assert f'href="{OFFERED}"' in page


async def test_a_public_review_is_for_everybody_or_nobody(site: Respondents, offered: Respondents) -> None:
    for category in NPS_CATEGORIES:
        assert f'href="{REVIEWS}"' in await thanked(site, category)
        assert "public review" not in await thanked(site, category, version=1)


async def test_a3_f4_a_promoter_may_be_quoted_and_introduce_us(site: Respondents, offered: Respondents) -> None:
    link = site.link(await site.ask(version=2))
    await site.post(link, score="10", comment="Quick.", step="score", reason="promoter", lang="en")
    details = await site.client.get(link, params={"step": "details", "for": "promoter", "lang": "en"})
    for name in ("quote", "referral"):
        assert f'type="checkbox" name="{name}" value="yes">' in details.text, "nothing is ticked beforehand"
    await site.post(link, step="details", quote="yes", referral="yes", finished="yes")
    told = (await site.calls())[-1]["body"]["attributes"]
    assert (told["quote_allowed"], told["referral_offered"]) == (True, True)
    other = await site.client.get(link, params={"step": "details", "for": "detractor", "lang": "en"})
    assert "checkbox" not in other.text


async def test_f4_without_a_tick_nothing_is_allowed(site: Respondents, offered: Respondents) -> None:
    await thanked(site, "promoter")
    attributes = (await site.calls())[-1]["body"]["attributes"]
    assert not attributes.keys() & {"quote_allowed", "referral_offered"}


async def test_c20_a_comment_is_taken_back(site: Respondents, clock: FrozenClock) -> None:
    link = site.link(await site.ask())
    await site.post(link, score="3", comment="Rude driver.", step="score", reason="detractor", finished="yes")
    clock.advance(timedelta(hours=1))
    again = (await site.client.get(link, params={"lang": "en"})).text
    assert "Take back what I wrote" in again
    assert "Rude driver." not in again
    await site.post(link, comment="", no_comment="yes", step="details", finished="yes")
    told = (await site.calls())[-1]
    assert (told["method"], told["body"]["score"], told["body"]["comment"]) == ("PATCH", 3, None)
    assert "reason_question" not in told["body"]["attributes"]
    after = (await site.client.get(link, params={"lang": "en"})).text
    assert "Take back what I wrote" not in after, "nothing is left to take back"

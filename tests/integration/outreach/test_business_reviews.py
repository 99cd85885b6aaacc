"""Business reviews through the API: what is copied for the client, to whom it goes, and how it is taken back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from services.outreach.domain.tokens import Purpose, Tokens
from shared.erasure import subject_by
from tests.integration.benchmark.stand import publish
from tests.integration.outreach.review_desk import KIM, LEE, PEOPLE, ReviewDesk, ask_ids, review_desk
from tests.support.environment import Environment
from tests.support.events import erased, record_of
from tests.support.polling import eventually

MADE = """
    select (select count(*) from business_reviews) as reviews, (select count(*) from asks) as asks,
        (select count(*) from outgoing) as calls
"""
"""All that making a review adds to."""


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[ReviewDesk]:
    async with review_desk(module_environment) as running:
        yield running


async def test_r2_c34_the_copy_holds_figures_and_deeds_and_nobody(desk: ReviewDesk) -> None:
    review = await desk.made(comments=["a1", "b1"], intro="Thank you for the talk.")
    copy = review["copy"]
    everybody = copy["scores"][0]
    assert (everybody["nps_then"], everybody["nps_now"], everybody["people_now"]) == (25, 25, 4)
    assert [everybody[f"{name}_count"] for name in ("promoter", "passive", "detractor")] == [2, 1, 1]
    assert copy["account_name"] == "Acme Logistics"
    assert [said["comment"] for said in copy["said"]] == [
        "Quicker than before.",
        "a colleague waits for days. Write to a colleague. a colleague",
    ]
    (deed,) = copy["done"]
    assert (deed["what_was_done"], deed["promised"]) == ("Called a colleague at once.", "A driver for a colleague")
    text = json.dumps([copy, review["intro"]])
    for name in (*PEOPLE, *PEOPLE.values(), "@acme.example", KIM):
        assert name not in text.replace("a colleague", ""), name


async def test_c34_a_look_shows_what_the_review_will_show_and_makes_nothing(desk: ReviewDesk) -> None:
    before = await desk.rows(MADE)
    body = {
        "account_id": "acme",
        "held_on": desk.clock.now().date().isoformat(),
        "recipients": [{"stakeholder_id": "ann"}],
        "comments": ["b1"],
        "intro": "Thank you for the talk.",
    }
    look = await desk.call("POST", "/preview", json=body)
    assert await desk.rows(MADE) == before
    review = await desk.call("POST", "", 201, json=body)
    assert look["copy"] == review["copy"]
    page = (await desk.client.get(urlsplit(review["recipients"][0]["url"]).path)).text
    assert main_of(look["html"]) == main_of(page)
    assert "Quicker than before." in look["html"]
    for name in (*PEOPLE.values(), "@acme.example", "<script", "<link"):
        assert name not in look["html"]


async def test_a_look_is_refused_as_the_review_would_be(desk: ReviewDesk) -> None:
    body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "nobody"}]}
    problem = await desk.call("POST", "/preview", 422, json=body)
    assert [error["code"] for error in problem["errors"]] == ["not_in_directory"]
    await desk.call("POST", "/preview", 403, json=body, headers=await desk.with_key("read"))


def main_of(page: str) -> list[str]:
    """The words of a page between its head and its question's languages, which a look does not offer."""
    inner = page[page.index("<main>") : page.index('<p class="buttons">')]
    return re.sub(r"<[^>]*>", " ", inner).split()


async def test_c34_only_the_comments_that_were_chosen_are_copied(desk: ReviewDesk) -> None:
    assert (await desk.made())["copy"]["said"] == []
    chosen = await desk.made(comments=["d1"])
    assert [said["response_id"] for said in chosen["copy"]["said"]] == ["d1"]
    assert await desk.codes(comments=["d1", "c1", "nowhere"]) == [
        ("comments.1", "no_comment"),
        ("comments.2", "no_comment"),
    ]


async def test_r1_each_recipient_has_a_link_of_their_own_by_the_review_survey(desk: ReviewDesk) -> None:
    recipients = [{"stakeholder_id": "ann"}, {"email": "BEN@acme.example"}]
    review = await desk.made(recipients=recipients)
    assert (review["survey_id"], review["recipient_count"]) == (desk.survey_id, 2)
    assert [(person["stakeholder_id"], person["name"]) for person in review["recipients"]] == [
        ("ann", "Ann Archer"),
        ("ben", "Ben Birch"),
    ]
    tokens = Tokens([desk.chain.environment.common.secret_key.get_secret_value()])
    for recipient, ask_id in zip(review["recipients"], ask_ids(review), strict=True):
        base, _, token = recipient["url"].rpartition("/r/")
        opened = tokens.opened(Purpose.REVIEW, token)
        assert base == "http://127.0.0.1:8005"
        assert opened is not None
        assert opened.subject == ask_id.bytes
        assert tokens.opened(Purpose.ASK, token) is None
    asks = await desk.rows(
        "select state, origin, channel, handed_over, closes_at - sent_at = interval '45 days' as open_long,"
        " address_hash is not null as hashed from asks where ask_id = any(cast(:ids as uuid[]))",
        ids=ask_ids(review),
    )
    expected = ["sent", "review", "review", True, True, True]
    assert [list(ask.values()) for ask in asks] == [expected, expected]


async def test_r1_c35_the_collector_is_told_of_each_link_and_of_the_review_on_its_day(desk: ReviewDesk) -> None:
    review = await desk.made(held_on="2026-06-20")
    (ask_id,) = ask_ids(review)
    (fact,) = await desk.calls("acme", f"fact:{ask_id}")
    assert (fact["service"], fact["method"], fact["path"]) == ("collector", "POST", "/v1/invitation-events")
    assert (fact["body"]["kind"], fact["body"]["channel"], fact["due_at"]) == ("sent", "review", desk.clock.now())
    (mark,) = await desk.calls("acme", f"review_held:{review['review_id']}")
    assert (mark["path"], mark["body"]["kind"]) == ("/v1/context-events", "review_held")
    assert mark["due_at"].isoformat() == mark["body"]["at"] == "2026-06-20T12:00:00+00:00"
    early = await desk.made(held_on="2026-05-20")
    (mark,) = await desk.calls("acme", f"review_held:{early['review_id']}")
    assert (mark["due_at"], mark["body"]["at"]) == (desk.clock.now(), "2026-05-20T12:00:00+00:00")


async def test_c12_and_c30_neither_quarantine_nor_objection_stands_against_a_review(desk: ReviewDesk) -> None:
    await desk.made(recipients=[{"stakeholder_id": "cid"}])
    await desk.write(
        "insert into contacts (account_id, stakeholder_id, last_asked_at, unsubscribed_at)"
        " values ('acme', 'cid', :now, :now) on conflict (account_id, stakeholder_id) do update"
        " set last_asked_at = excluded.last_asked_at, unsubscribed_at = excluded.unsubscribed_at",
        now=desk.clock.now(),
    )
    again = await desk.made(recipients=[{"stakeholder_id": "cid"}])
    assert [person["state"] for person in again["recipients"]] == ["sent"]


async def test_recipients_are_people_of_the_account_each_named_once(desk: ReviewDesk) -> None:
    recipients = [{"stakeholder_id": "ann"}, {"email": "nobody@acme.example"}, {"email": "ann@acme.example"}]
    assert await desk.codes(recipients=recipients) == [
        ("recipients.1", "not_in_directory"),
        ("recipients.2", "named_twice"),
    ]
    assert await desk.codes(recipients=[]) == [("recipients", "too_short")]
    assert await desk.codes(recipients=[{}]) == [("recipients.0", "invalid_person")]


@pytest.mark.parametrize("day", ["1999-12-31", "2027-06-03"])
async def test_a_review_is_held_within_a_year_from_now(desk: ReviewDesk, day: str) -> None:
    assert await desk.codes(held_on=day) == [("held_on", "invalid_held_on")]


async def test_c37_a_key_limited_to_an_owner_makes_and_sees_reviews_of_its_own_accounts(desk: ReviewDesk) -> None:
    review = await desk.made()
    mine = await desk.with_key("read", "act", owner_email=KIM)
    other = await desk.with_key("read", "act", owner_email=LEE)
    path = f"/{review['review_id']}"
    assert (await desk.call("GET", path, headers=mine))["review_id"] == review["review_id"]
    assert (await desk.call("GET", path, 404, headers=other))["code"] == "review_not_found"
    assert (await desk.call("POST", f"{path}/withdraw", 404, headers=other))["code"] == "review_not_found"
    assert (await desk.call("GET", "", headers=other))["items"] == []
    assert review["review_id"] in [item["review_id"] for item in (await desk.call("GET", "", headers=mine))["items"]]
    body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "ann"}]}
    assert (await desk.call("POST", "", 404, json=body, headers=other))["code"] == "account_not_found"
    reader = await desk.with_key("read")
    assert (await desk.call("POST", "", 403, json=body, headers=reader))["code"] == "missing_scope"


async def test_c37_a_key_that_only_reads_sees_recipients_without_their_links(desk: ReviewDesk) -> None:
    review = await desk.made()
    shown = await desk.call("GET", f"/{review['review_id']}", headers=await desk.with_key("read"))
    assert [recipient.pop("url") for recipient in shown["recipients"]] == [None]
    del review["recipients"][0]["url"]
    assert shown == review


async def test_promise_5_a_review_counts_as_asked_at_once(desk: ReviewDesk) -> None:
    await desk.write("delete from contacts where stakeholder_id = 'dee'")
    await desk.made(recipients=[{"stakeholder_id": "dee"}])
    [contact] = await desk.rows("select * from contacts where stakeholder_id = 'dee'")
    assert contact["last_asked_at"] == contact["relationship_asked_at"] == desk.clock.now()
    assert contact["transactional_asked_at"] is None


async def test_a_review_that_is_made_again_under_its_key_is_the_same(desk: ReviewDesk) -> None:
    again = {"Idempotency-Key": uuid4().hex}
    body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "ann"}]}
    first, second = await asyncio.gather(
        desk.call("POST", "", 201, json=body, headers=again), desk.call("POST", "", 201, json=body, headers=again)
    )
    assert first == second == await desk.call("POST", "", 201, json=body, headers=again)
    assert len(await desk.calls("acme", f"review_held:{first['review_id']}")) == 1
    assert (await desk.made())["review_id"] != first["review_id"]


async def test_a_review_needs_a_survey_that_is_published(desk: ReviewDesk) -> None:
    body = {"account_id": "acme", "held_on": "2026-06-01", "recipients": [{"stakeholder_id": "ann"}]}
    missing = await desk.call("POST", "", 404, json=body | {"survey_id": "srv_none"})
    assert missing["code"] == "survey_not_found"


async def test_a_recipient_named_by_id_is_that_person_whoever_has_the_address_now(desk: ReviewDesk) -> None:
    await desk.write(
        "insert into stakeholders (account_id, stakeholder_id, email, record, recorded_at, event_id) values"
        " ('acme', '1001', 'ella@acme.example', '{}', :now, gen_random_uuid()),"
        " ('acme', 'ella@acme.example', 'ella.roe@acme.example', '{}', :now, gen_random_uuid())",
        now=desk.clock.now(),
    )
    review = await desk.made(recipients=[{"stakeholder_id": "ella@acme.example"}, {"email": "Ella@acme.example"}])
    assert [recipient["stakeholder_id"] for recipient in review["recipients"]] == ["1001", "ella@acme.example"]
    by_id = await desk.made(recipients=[{"stakeholder_id": "ella@acme.example"}])
    assert [recipient["stakeholder_id"] for recipient in by_id["recipients"]] == ["ella@acme.example"]
    await desk.write("delete from stakeholders where stakeholder_id in ('1001', 'ella@acme.example')")


async def test_the_link_of_a_review_that_is_handed_over_again_is_the_review(desk: ReviewDesk) -> None:
    [recipient] = (await desk.made())["recipients"]
    answer = await desk.client.get(f"/v1/asks/{recipient['ask_id']}/link")
    assert answer.json()["url"] == recipient["url"]


async def test_the_list_is_paged_newest_first_with_its_counts(desk: ReviewDesk) -> None:
    first = await desk.made()
    await desk.write(
        "update asks set opened_at = :now where ask_id = :ask", now=desk.clock.now(), ask=ask_ids(first)[0]
    )
    pages, cursor = [], None
    while True:
        query = {"account_id": "acme", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await desk.call("GET", "", params=query)
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    ids = [item["review_id"] for item in pages]
    assert len(ids) == len(set(ids))
    assert sorted(pages, key=lambda item: (item["created_at"], item["review_id"]), reverse=True) == pages
    (item,) = [item for item in pages if item["review_id"] == first["review_id"]]
    assert (item["recipient_count"], item["opened_count"], item["answered_count"]) == (1, 1, 0)


async def test_a_review_that_is_taken_back_ends_its_links_and_sets_no_mark(desk: ReviewDesk) -> None:
    review = await desk.made(held_on="2026-06-25", recipients=[{"stakeholder_id": "ann"}, {"stakeholder_id": "ben"}])
    path = f"/{review['review_id']}/withdraw"
    taken_back = await desk.call("POST", path)
    assert taken_back["withdrawn_at"] is not None
    assert [person["state"] for person in taken_back["recipients"]] == ["withdrawn", "withdrawn"]
    assert await desk.calls("acme", f"review_held:{review['review_id']}") == []
    assert await desk.call("POST", path) == taken_back


async def test_c33_a_pack_that_is_older_than_an_erasure_brings_nothing_back(desk: ReviewDesk) -> None:
    subject = subject_by(desk.chain.environment.common.secret_key.get_secret_value())("acme", "ben")
    await desk.write(
        "insert into erasures (receipt_id, subject, account_id, erased_at, applied_at)"
        " values (:receipt, :subject, 'acme', :now, :now)",
        receipt=uuid4(),
        subject=subject,
        now=desk.clock.now(),
    )
    review = await desk.made(comments=["b1", "d1"])
    assert [said["response_id"] for said in review["copy"]["said"]] == ["d1"]


async def test_c34_what_goes_back_to_an_erased_person_leaves_every_copy(desk: ReviewDesk) -> None:
    recipients = [{"stakeholder_id": "ann"}, {"stakeholder_id": "cid"}]
    review = await desk.made(comments=["a1", "d1"], intro="Dear Ann Archer and colleagues", recipients=recipients)
    assert len(review["copy"]["done"]) == 1
    await publish(desk.chain.environment, record_of(erased("acme", "ann")))

    async def gone() -> bool:
        return await desk.rows("select 1 from review_excerpts where stakeholder_id = 'ann'") == []

    await eventually(gone, timeout=60)
    left = await desk.call("GET", f"/{review['review_id']}")
    assert [said["response_id"] for said in left["copy"]["said"]] == ["d1"]
    assert (left["copy"]["done"], left["intro"]) == ([], "Dear [erased] and colleagues")
    assert [recipient["stakeholder_id"] for recipient in left["recipients"]] == ["cid"]

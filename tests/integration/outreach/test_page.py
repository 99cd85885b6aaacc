"""The page on which one person answers: steps, changes, closings, and what is told of them."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import pytest

from services.outreach.domain.asks import response_id_of
from services.outreach.handlers.answers import tell_rested
from shared.db.engine import Database
from tests.support.clock import FrozenClock
from tests.support.respondents import Respondents, relationship


def asked_next(answer: httpx.Response) -> dict[str, str]:
    """The parameters of the address to which a form leads."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith("?")
    return {name: values[0] for name, values in parse_qs(location[1:]).items()}


async def test_the_page_asks_the_question_without_script_or_cookie(site: Respondents) -> None:
    page = await site.client.get(site.link(await site.ask()))
    assert page.status_code == 200
    assert "How likely are you to recommend Supplier to a friend or colleague?" in page.text
    assert page.text.count('name="score"') == 11
    assert "9, of 0 to 10" in page.text
    assert "<script" not in page.text
    assert "{" not in page.text
    assert "None" not in page.text
    assert "set-cookie" not in page.headers


async def test_a_score_is_told_at_once_and_the_rest_when_it_is_finished(site: Respondents, clock: FrozenClock) -> None:
    ask_id = await site.ask()
    link = site.link(ask_id)
    assert asked_next(await site.post(link, score="9", step="score", lang="en")) == {
        "step": "reason", "for": "promoter", "lang": "en",
    }  # fmt: skip
    started, response = await site.calls()
    assert (started["path"], started["body"]["kind"]) == ("/v1/invitation-events", "started")
    assert (response["key"], response["method"], response["path"]) == (f"{ask_id}:0", "POST", "/v1/responses")
    body = response["body"]
    assert (body["score"], body["survey_type"], body["invitation_id"]) == (9, "nps", str(ask_id))
    assert body["response_id"] == response_id_of(ask_id)
    assert body["answered_at"] == clock.now().isoformat()

    clock.advance(timedelta(seconds=5))
    reason = {"comment": "Always on time.", "step": "reason", "reason": "promoter", "lang": "en"}
    assert asked_next(await site.post(link, **reason))["step"] == "details"
    assert len(await site.calls()) == 2
    assert asked_next(await site.post(link, call="yes", step="details", finished="yes"))["step"] == "thanks"
    amended = (await site.calls())[2]
    assert (amended["key"], amended["method"]) == (f"{ask_id}:3", "PATCH")
    assert amended["path"] == f"/v1/responses/{response_id_of(ask_id)}"
    assert amended["body"]["comment"] == "Always on time."
    assert amended["body"]["follow_up_requested"] is True
    assert amended["body"]["attributes"]["reason_question"] == "promoter"
    row = await site.asked(ask_id)
    assert (row["started_at"], row["finished_at"]) == (clock.now() - timedelta(seconds=5), clock.now())
    assert row["answer_due_at"] is None


async def test_all_in_one_form_is_one_post_and_no_amendment(site: Respondents) -> None:
    link = site.link(await site.ask())
    await site.post(link, score="2", comment="Late.", reason="detractor", step="score", finished="yes")
    assert [call["method"] for call in await site.calls()] == ["POST", "POST"]


async def test_a_double_click_a_second_tab_and_the_back_button_are_one_answer(site: Respondents) -> None:
    ask_id = await site.ask()
    link = site.link(ask_id)
    for score in ("9", "9", "3"):
        await site.post(link, score=score, step="score")
    await site.post(link, step="reason", finished="yes")
    calls = await site.calls()
    assert [call["key"] for call in calls] == [f"fact:{ask_id}:started", f"{ask_id}:0", f"{ask_id}:4"]
    assert (calls[1]["body"]["score"], calls[2]["body"]["score"]) == (9, 3)


async def test_two_devices_and_a_forwarded_link_at_once_are_one_answer_amended(site: Respondents) -> None:
    ask_id = await site.ask()
    link = site.link(ask_id)
    scores = ("9", "2", "7", "10", "0", "5")
    answers = await asyncio.gather(*(site.post(link, score=score, step="score") for score in scores))
    assert {answer.status_code for answer in answers} == {303}
    last = (await site.asked(ask_id))["answer"]
    shown = await site.client.get(link, headers={"user-agent": "a colleague's"})
    assert "You answered on" in shown.text
    assert "checked" not in shown.text
    await site.post(link, step="reason", finished="yes")
    calls = await site.calls()
    assert [call["key"] for call in calls if call["path"] == "/v1/responses"] == [f"{ask_id}:0"]
    assert [call["key"] for call in calls if call["method"] == "PATCH"] == [f"{ask_id}:7"]
    assert calls[-1]["body"]["score"] == json.loads(last)["score"]
    assert str(calls[1]["body"]["score"]) in scores
    assert len(calls) == 3


async def test_what_a_colleague_says_later_by_a_forwarded_link_amends_the_answer(
    site: Respondents, clock: FrozenClock
) -> None:
    ask_id = await site.ask()
    link = site.link(ask_id)
    await site.post(link, score="9", comment="Fine.", reason="promoter", step="score", finished="yes")
    clock.advance(timedelta(days=2))
    await site.post(link, score="3", comment="Not fine.", reason="detractor", step="score", finished="yes")
    _, answer, amendment = await site.calls()
    assert (answer["method"], answer["body"]["score"], answer["body"]["comment"]) == ("POST", 9, "Fine.")
    assert (amendment["method"], amendment["path"]) == ("PATCH", f"/v1/responses/{response_id_of(ask_id)}")
    assert (amendment["body"]["score"], amendment["body"]["comment"]) == (3, "Not fine.")
    assert (await site.asked(ask_id))["answered_at"] == clock.now() - timedelta(days=2)


async def test_c20_who_comes_back_sees_that_they_answered_and_not_what(site: Respondents, clock: FrozenClock) -> None:
    link = site.link(await site.ask())
    await site.post(link, score="2", comment="A secret reason.", reason="detractor", step="score")
    clock.advance(timedelta(days=1))
    page = (await site.client.get(link)).text
    assert "You answered on 3 March 2026." in page
    assert "You may change your answer until 2 April 2026." in page
    assert "secret" not in page
    assert "checked" not in page
    assert "put right first" not in page


async def test_c20_a_form_that_is_refused_gives_back_what_it_held(site: Respondents) -> None:
    ask_id = await site.ask()
    answer = await site.post(site.link(ask_id), comment="Kept <b>words</b>", step="score")
    assert answer.status_code == 422
    assert "Please choose a number." in answer.text
    answer = await site.post(site.link(ask_id), score="11", comment="Kept <b>words</b>", step="score")
    assert answer.status_code == 422
    assert await site.calls() == []
    assert (await site.asked(ask_id))["revision"] == 0


async def test_a_score_from_the_mail_is_chosen_and_not_stored(site: Respondents) -> None:
    ask_id = await site.ask()
    page = (await site.client.get(site.link(ask_id), params={"s": "9"})).text
    assert page.count("checked") == 1
    assert "Send 9" in page
    assert "What do you value most about working with us?" in page
    assert (await site.asked(ask_id))["revision"] == 0
    for strange in ("11", "-1", "9.0", "x", "09"):
        assert "checked" not in (await site.client.get(site.link(ask_id), params={"s": strange})).text


async def test_another_language_keeps_what_was_written_and_stores_nothing(site: Respondents) -> None:
    ask_id = await site.ask()
    answer = await site.post(site.link(ask_id), score="9", comment="Pünktlich", show="de", step="score")
    assert answer.status_code == 200
    assert "Wie wahrscheinlich ist es" in answer.text
    assert "Pünktlich" in answer.text
    assert answer.text.count("checked") == 1
    assert (await site.asked(ask_id))["revision"] == 0
    await site.post(site.link(ask_id), score="9", lang="de", step="score")
    assert (await site.calls())[1]["body"]["language"] == "de"


async def test_the_language_is_that_of_the_link_then_of_the_ask(site: Respondents) -> None:
    link = site.link(await site.ask(language="fr"))
    assert '<html lang="fr"' in (await site.client.get(link)).text
    assert '<html lang="es"' in (await site.client.get(link, params={"lang": "es"})).text


async def test_without_a_language_of_its_own_a_link_speaks_that_of_the_account(site: Respondents) -> None:
    await site.rows(
        "insert into accounts (account_id, record, recorded_at, event_id)"
        """ values ('acme', '{"language": "fr"}', now(), gen_random_uuid())"""
    )
    link = site.link(await site.ask(language=None))
    assert '<html lang="fr"' in (await site.client.get(link)).text
    await site.rows(
        "insert into stakeholders (account_id, stakeholder_id, record, recorded_at, event_id)"
        """ values ('acme', 'ada', '{"language": "de"}', now(), gen_random_uuid())"""
    )
    assert '<html lang="de"' in (await site.client.get(link)).text


@pytest.mark.parametrize("seconds", [19, 20])
async def test_c18_what_was_added_is_told_after_twenty_seconds_of_rest(
    site: Respondents, clock: FrozenClock, seconds: int
) -> None:
    link = site.link(await site.ask())
    await site.post(link, score="7", step="score")
    await site.post(link, comment="Slow replies.", reason="passive", step="reason")
    clock.advance(timedelta(seconds=seconds))
    pages = site.app.state.pages
    told = await pages.database.retrying(lambda tx: tell_rested(tx, pages.versions, clock.now()))
    assert told == seconds - 19
    amendments = [call for call in await site.calls() if call["method"] == "PATCH"]
    assert len(amendments) == told
    assert await pages.database.retrying(lambda tx: tell_rested(tx, pages.versions, clock.now())) == 0


async def test_c19_changes_are_taken_for_thirty_days_after_the_first_answer(
    site: Respondents, clock: FrozenClock
) -> None:
    ask_id = await site.ask(closes_at=clock.now() + timedelta(days=45))
    await site.post(site.link(ask_id), score="7", step="score")
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert (await site.post(site.link(ask_id), score="6", step="score")).status_code == 303
    clock.advance(timedelta(seconds=1))
    closed = await site.post(site.link(ask_id), score="5", step="score")
    assert (closed.status_code, "This survey is closed" in closed.text) == (410, True)
    assert (await site.asked(ask_id))["revision"] == 2


async def test_links_that_have_ended_say_so(site: Respondents, clock: FrozenClock) -> None:
    now = clock.now()
    ends = {
        "This survey has ended": await site.ask(closes_at=now),
        "This survey has been withdrawn": await site.ask(withdrawn_at=now),
        "This survey is closed": await site.ask(answered_at=now - timedelta(days=31), closes_at=now),
    }
    for text, ask_id in ends.items():
        for answer in (await site.client.get(site.link(ask_id)), await site.post(site.link(ask_id), score="9")):
            assert (answer.status_code, text in answer.text) == (410, True)
    assert await site.calls() == []


async def test_c19_an_answer_that_was_withdrawn_takes_no_changes(site: Respondents) -> None:
    ask_id = await site.ask()
    await site.post(site.link(ask_id), score="9", step="score")
    await site.rows(
        "insert into answers (account_id, response_id, withdrawn) values ('acme', $1, true)", response_id_of(ask_id)
    )
    assert (await site.client.get(site.link(ask_id))).status_code == 410
    assert (await site.post(site.link(ask_id), score="2", step="score")).status_code == 410
    assert (await site.asked(ask_id))["revision"] == 1


async def test_an_ask_that_was_erased_is_closed(site: Respondents) -> None:
    ask_id = await site.ask()
    await site.rows("delete from asks")
    answer = await site.post(site.link(ask_id), score="9")
    assert (answer.status_code, "This survey is closed" in answer.text) == (410, True)


async def test_after_twenty_forms_no_more_are_taken(site: Respondents) -> None:
    ask_id = await site.ask()
    for form in range(20):
        assert (await site.post(site.link(ask_id), score=str(form % 11), step="score")).status_code == 303
    assert (await site.post(site.link(ask_id), score="9", step="score")).status_code == 429
    assert (await site.asked(ask_id))["revision"] == 20


async def test_c6_a_test_is_marked_as_one_and_tells_no_facts(site: Respondents) -> None:
    ask_id = await site.ask(origin="test")
    assert "This is a test." in (await site.client.get(site.link(ask_id))).text
    await site.post(site.link(ask_id), score="9", step="score")
    [response] = await site.calls()
    assert response["body"]["test"] is True


async def test_the_first_form_shows_that_a_waiting_link_was_handed_over(site: Respondents, clock: FrozenClock) -> None:
    ask_id = await site.ask(state="waiting", handed_over=False, sent_at=None, closes_at=None)
    await site.post(site.link(ask_id), score="9", step="score")
    row = await site.asked(ask_id)
    assert (row["state"], row["sent_at"], row["closes_at"]) == ("sent", clock.now(), clock.now() + timedelta(days=30))
    assert (await site.row("select state, actor from ask_changes"))["actor"] == "page"


async def test_a_scanner_that_opens_every_link_ten_times_changes_no_figure(site: Respondents) -> None:
    ask_id = await site.ask(address_hash=site.tokens.address_hash("ada@acme.example").digest)
    answered = await site.ask(stakeholder_id="bob")
    await site.post(site.link(answered), score="9", step="score")
    links = [site.link(ask_id), site.link(answered), site.stop_link("ada@acme.example")]

    async def all_there_is() -> list[object]:
        found: list[object] = [await site.rows("select * from asks order by 1"), await site.calls()]
        found.append(await site.rows("select * from ask_changes order by 1"))
        found.append(await site.rows("select * from suppressions order by 1"))
        for path in ("/v1/asks", "/v1/asks/summary", "/v1/suppressions"):
            answer = await site.client.get(path, headers=site.key)
            assert answer.status_code == 200
            found.append(answer.json())
        return found

    before = await all_there_is()
    for _ in range(10):
        for link in links:
            for score in ("", *map(str, range(11))):
                assert (await site.client.get(link, params={"s": score})).status_code == 200
                assert (await site.client.head(link, params={"s": score})).status_code == 200
            for step in ("reason", "details", "thanks", "x"):
                await site.client.get(link, params={"step": step, "for": "promoter"})
    assert await all_there_is() == before


async def test_c20_while_postgresql_is_away_the_form_comes_back_with_what_it_held(
    site: Respondents,
) -> None:
    ask_id = await site.ask()
    pages = site.app.state.pages
    away = Database("postgresql://nobody@127.0.0.1:9/nowhere", "outreach")
    site.app.state.pages = replace(pages, database=away)
    answer = await site.post(site.link(ask_id), score="9", comment="Do not lose <this>.", step="score", lang="de")
    assert answer.status_code == 503
    assert "Do not lose &lt;this&gt;." in answer.text
    assert 'name="score" value="9"' in answer.text
    assert '<html lang="de"' in answer.text
    for link in (site.link(ask_id), site.stop_link("ada@acme.example")):
        shown = await site.client.get(link)
        assert (shown.status_code, shown.headers["retry-after"]) == (503, "30")
    stop = await site.client.post(site.stop_link("ada@acme.example"), data={"List-Unsubscribe": "One-Click"})
    assert stop.status_code == 503
    site.app.state.pages = pages
    await away.close()
    assert await site.calls() == []
    assert await site.rows("select 1 from suppressions") == []


async def test_a_text_of_a_survey_is_escaped(site: Respondents) -> None:
    survey, survey_id = relationship(), f"srv_{uuid4().hex}"
    texts = replace(survey.texts["en"], who_reads="<script>alert(1)</script>")
    await site.publish(replace(survey, texts={"en": texts}), survey_id)
    page = await site.client.get(site.link(await site.ask(survey_id)))
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text

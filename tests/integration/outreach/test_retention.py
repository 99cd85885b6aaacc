"""What outreach deletes by itself: words once the collector has them, asks and reviews after 36 months."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.outreach.domain.retention import kept_since
from services.outreach.handlers.retention import forget
from services.outreach.jobs.timers import timers
from services.outreach.store.answers import find_ask_and_known
from shared.db.engine import Database
from tests.support.clock import FrozenClock
from tests.support.polling import eventually
from tests.support.respondents import LINKS_LAST, SURVEY_ID, Respondents

MONTHS = 36
DAY = timedelta(days=1)
DUE = [datetime(year, month, 20, 9, tzinfo=UTC) for year in (2022, 2023, 2024, 2025) for month in range(1, 13)]
STATES: list[dict[str, Any]] = [
    {"answered_at": datetime(2022, 2, 1, tzinfo=UTC)},
    {"bounced_at": datetime(2022, 2, 1, tzinfo=UTC)},
    {"state": "skipped", "reason": "objected", "sent_at": None, "closes_at": None},
    {"state": "waiting", "sent_at": None, "closes_at": None},
]


async def forgotten(site: Respondents) -> int:
    """How many rows are due to go now."""
    now = site.clock.now()
    database: Database = site.app.state.pages.database
    return await database.retrying(lambda tx: forget(tx, MONTHS, now))


async def summary(site: Respondents, since: datetime) -> dict[str, Any]:
    """The sums of the asks that fell due since a moment."""
    answer = await site.client.get("/v1/asks/summary", params={"due_since": since.isoformat()}, headers=site.key)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def answered(site: Respondents) -> Any:
    """An ask that was answered by its page, and whose answer waits to be told."""
    ask_id = await site.ask()
    link = site.link(ask_id)
    forms: list[dict[str, str]] = [
        {"score": "9", "step": "score"},
        {"comment": "Words.", "reason": "promoter", "step": "reason"},
        {"q.trust": "4", "step": "details", "finished": "yes"},
    ]
    for form in forms:
        assert (await site.post(link, **form)).status_code == 303
    return ask_id


async def end(site: Respondents, clock: FrozenClock, ask_id: Any) -> None:
    """The link of the ask has ended."""
    clock.advance(LINKS_LAST)
    await site.rows("update asks set expired_at = $2 where ask_id = $1", ask_id, clock.now())


async def test_c38_asks_go_after_36_months_and_the_sums_of_what_is_kept_stay(
    site: Respondents, clock: FrozenClock
) -> None:
    for due in DUE:
        for state in STATES:
            await site.ask(created_at=due, due_at=due, **({"sent_at": due, "closes_at": due + LINKS_LAST} | state))
    while clock.now() < datetime(2027, 1, 1, tzinfo=UTC):
        since = kept_since(clock.now(), MONTHS)
        before = await summary(site, since)
        await forgotten(site)
        assert await summary(site, since) == before
        assert datetime.fromisoformat(before["kept_since"]) == since
        [group] = before["groups"]
        assert group["planned"] == len(STATES) * sum(due >= since for due in DUE) > 0
        assert group["planned"] == group["sent"] + group["skipped"] + group["waiting"]
        [left] = await site.rows("select count(*) as count, min(due_at) >= $1 as young from asks", since)
        assert (left["count"], left["young"]) == (group["planned"], True)
        clock.advance(47 * DAY)


async def test_the_timer_deletes_by_the_clock(site: Respondents, clock: FrozenClock) -> None:
    kept, gone = await site.ask(), await site.ask(due_at=kept_since(clock.now(), MONTHS) - timedelta(seconds=1))
    pages = site.app.state.pages
    [job] = [
        one for one in timers(pages.database, clock, pages.versions, pages.wake, MONTHS) if one.name == "asks-kept"
    ]
    task = asyncio.create_task(job.run())
    try:
        await eventually(lambda: is_gone(site, gone))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (await site.asked(kept))["state"] == "sent"
    assert (await site.client.get(site.link(gone))).status_code == 410


async def known_to(site: Respondents, ask_id: Any) -> Any:
    """Question -> how many answers of the account answer it, as another ask's page counts them."""
    async with site.app.state.pages.database.read() as tx:
        found = await find_ask_and_known(tx, ask_id, 10)
    assert found is not None
    return found[1]


async def is_gone(site: Respondents, ask_id: Any) -> bool:
    return await site.asked(ask_id) == {}


async def test_words_go_when_the_collector_has_them_and_the_link_has_ended(
    site: Respondents, clock: FrozenClock
) -> None:
    ask_id = await answered(site)
    await site.rows("update outgoing set state = 'sent'")
    assert await forgotten(site) == 0, "the link still takes changes"
    await end(site, clock, ask_id)
    await site.rows("update outgoing set state = 'stuck' where method = 'PATCH'")
    assert await forgotten(site) == 0, "the collector has not taken it"
    await site.rows("update outgoing set state = 'sent'")
    other = await site.ask()
    before = await known_to(site, other)
    assert await forgotten(site) == 1
    row = await site.asked(ask_id)
    assert row["answer"] is None
    assert row["answered_at"] is not None
    assert await known_to(site, other) == before == {"trust": 1}
    assert (await site.client.get(site.link(ask_id))).status_code == 410
    assert await forgotten(site) == 0


async def test_an_ask_whose_answer_is_stuck_stays_however_old_it_is(site: Respondents, clock: FrozenClock) -> None:
    ask_id = await answered(site)
    await site.rows("update outgoing set state = 'stuck' where method = 'POST'")
    await site.rows("update outgoing set state = 'sent' where method = 'PATCH'")
    await end(site, clock, ask_id)
    clock.advance(37 * 31 * DAY)
    assert await forgotten(site) == 0
    assert (await site.asked(ask_id))["answer"] is not None
    await site.rows("update outgoing set state = 'sent'")
    assert await forgotten(site) >= 1
    await forgotten(site)
    assert await site.asked(ask_id) == {}


async def test_reviews_go_with_their_last_ask(site: Respondents, clock: FrozenClock) -> None:
    old, young = uuid4(), uuid4()
    for review_id, at in ((old, kept_since(clock.now(), MONTHS) - DAY), (young, clock.now())):
        await site.rows(
            "insert into business_reviews (review_id, account_id, survey_id, survey_version, held_on, pack, created_at,"
            " created_by, closes_at) values ($1, 'acme', $2, 1, $3, '{}', $4, 'test', $4)",
            review_id,
            SURVEY_ID,
            at.date(),
            at,
        )
        await site.ask(origin="review", review_id=review_id, created_at=at, due_at=at, sent_at=at)
    assert await forgotten(site) == 2
    assert [row["review_id"] for row in await site.rows("select review_id from business_reviews")] == [young]
    await site.rows("delete from business_reviews")

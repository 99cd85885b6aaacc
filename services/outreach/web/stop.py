"""`/u/{token}`: a person objects to being asked, or to the mails of one programme, by the buttons of the page or by one
click of a mail program (RFC 8058), which stops all. A GET changes nothing, since mail gateways open every link."""

from collections.abc import Iterable
from typing import Final

from starlette.responses import Response

from services.outreach.domain.page_words import PageWords, page_words
from services.outreach.domain.tokens import Purpose
from services.outreach.handlers import objections
from services.outreach.store.programme_objections import Mailed
from services.outreach.web import edge
from services.outreach.web.edge import Visit, value_of
from services.outreach.web.languages import language_of
from services.outreach.web.rendering import page, rendered

ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")


async def show(visit: Visit) -> Response:
    """The page with its buttons."""
    return await _page(visit)


async def act(visit: Visit) -> Response:
    """Objects or takes it back; whatever else is posted changes nothing. 200 once it is stored, also for a token of
    long ago."""
    now, tokens, opened = visit.pages.clock.now(), visit.pages.tokens, visit.opened
    retrying = visit.pages.database.retrying
    action = value_of(visit.fields, "action")
    done = ""
    if ONE_CLICK in visit.fields:
        await retrying(lambda tx: objections.stop(tx, tokens, opened, "one_click", now))
    elif action == "stop":
        await retrying(lambda tx: objections.stop(tx, tokens, opened, "page", now))
    elif action == "resume":
        await retrying(lambda tx: objections.resume(tx, tokens, opened, now))
        done = "stop_undone"
    elif action in ("stop_survey", "resume_survey"):
        await _change_programme(visit, action, value_of(visit.fields, "survey"))
    visit.pages.wake()
    return await _page(visit, done)


async def _change_programme(visit: Visit, action: str, programme_id: str) -> None:
    """Stop one programme, or take its mails again; any but those that the page names stays as it is."""
    now, tokens, opened = visit.pages.clock.now(), visit.pages.tokens, visit.opened
    async with visit.pages.database.read() as tx:
        mailed = await objections.mailed(tx, tokens, opened)
    if programme_id not in mailed:
        return
    if action == "stop_survey":
        await visit.pages.database.retrying(lambda tx: objections.stop_programme(tx, opened, programme_id, now))
    else:
        await visit.pages.database.retrying(lambda tx: objections.resume_programme(tx, tokens, opened, programme_id))


async def _page(visit: Visit, done: str = "") -> Response:
    async with visit.pages.database.read() as tx:
        stopped = await objections.objects(tx, visit.pages.tokens, visit.opened)
        mailed = await objections.mailed(tx, visit.pages.tokens, visit.opened)
    words = page_words(language_of(visit.request, value_of(visit.fields, "lang")))
    return page(
        rendered("stop.html", words=words, stopped=stopped, done=done, surveys=_surveys(visit, mailed.values(), words))
    )


def _surveys(visit: Visit, mailed: Iterable[Mailed], words: PageWords) -> list[dict[str, object]]:
    surveys: list[dict[str, object]] = []
    for programme in mailed:
        day = words.day(programme.sent_at.astimezone(visit.pages.zone).date())
        surveys.append({"id": programme.programme_id, "day": day, "stopped": programme.stopped})
    return surveys


ROUTE: Final = edge.page("/u/{token}", Purpose.UNSUBSCRIBE, show, act)

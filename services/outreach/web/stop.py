"""`/u/{token}`: a person objects to being asked, by the button of the page or by one click of a mail program (RFC
8058). A GET changes nothing, since mail gateways open every link."""

from typing import Final

from starlette.responses import Response

from services.outreach.domain.page_words import page_words
from services.outreach.domain.tokens import Purpose
from services.outreach.handlers import objections
from services.outreach.web import edge
from services.outreach.web.edge import Visit, value_of
from services.outreach.web.languages import language_of
from services.outreach.web.rendering import page, rendered

ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")


async def show(visit: Visit) -> Response:
    """The page with its one button."""
    async with visit.pages.database.read_once() as tx:
        stopped = await objections.objects(tx, visit.pages.tokens, visit.opened)
    return page(_html(visit, stopped=stopped))


async def act(visit: Visit) -> Response:
    """Objects or takes it back; whatever else is posted changes nothing. 200 once it is stored, also for a token of
    long ago."""
    now, tokens, opened = visit.pages.clock.now(), visit.pages.tokens, visit.opened
    action = value_of(visit.fields, "action")
    if ONE_CLICK in visit.fields:
        await visit.pages.database.retrying(lambda tx: objections.stop(tx, tokens, opened, "one_click", now))
    elif action == "stop":
        await visit.pages.database.retrying(lambda tx: objections.stop(tx, tokens, opened, "page", now))
    elif action == "resume":
        await visit.pages.database.retrying(lambda tx: objections.resume(tx, tokens, opened, now))
        return page(_html(visit, stopped=False, resumed=True))
    else:
        return await show(visit)
    visit.pages.wake()
    return page(_html(visit, stopped=True))


def _html(visit: Visit, *, stopped: bool, resumed: bool = False) -> str:
    language = language_of(visit.request, value_of(visit.fields, "lang"))
    return rendered("stop.html", words=page_words(language), stopped=stopped, resumed=resumed)


ROUTE: Final = edge.page("/u/{token}", Purpose.UNSUBSCRIBE, show, act)

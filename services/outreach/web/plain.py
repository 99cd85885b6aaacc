"""Pages that show nothing of any survey: what they say holds for everybody, so that they tell nobody which links,
people or addresses there are."""

from functools import cache
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.outreach.domain.forms import COMMENT, Fields
from services.outreach.domain.page_words import page_words
from services.outreach.web.languages import language_of
from services.outreach.web.rendering import page, rendered
from services.outreach.web.strangers import Strangers

Kind = Literal["unknown", "expired", "withdrawn", "closed", "too_many", "unavailable", "unreadable"]
STATUS: Final = {"unknown": 404, "expired": 410, "withdrawn": 410, "closed": 410}
RETRY_SECONDS: Final = 30
_TEXTS: Final = {
    "unavailable": ("unavailable_title", "away_text"),
    "unreadable": ("unavailable_title", "error_too_many_fields"),
}


def unknown(request: Request, strangers: Strangers) -> Response:
    """The answer to every token that is not ours for this page; after too many of them, to wait."""
    address = None
    if request.client is not None:
        address = request.client.host
    wait = strangers.wait(address)
    if wait:
        return too_many(request, wait)
    return ended(request, "unknown")


def ended(request: Request, kind: Literal["unknown", "expired", "withdrawn", "closed"]) -> Response:
    """A link that takes no answer, and why."""
    return page(_message(kind, language_of(request)), STATUS[kind])


def too_many(request: Request, wait: int = 60) -> Response:
    """Too many requests."""
    return page(_message("too_many", language_of(request)), 429, {"retry-after": str(wait)})


def refused(request: Request, status: int) -> Response:
    """A body that is no form."""
    return page(_message("unreadable", language_of(request)), status, {"connection": "close"})


def away(request: Request) -> Response:
    """PostgreSQL is away and nothing was sent that could be lost."""
    return page(_message("unavailable", language_of(request)), 503, {"retry-after": str(RETRY_SECONDS)})


def kept(request: Request, fields: Fields) -> Response:
    """PostgreSQL is away: the form comes back with all that it held, to be sent again."""
    posted = dict(fields)
    language = language_of(request, posted.get("lang", ""))
    hidden = [(name, value) for name, value in fields if name != COMMENT]
    content = rendered("kept.html", words=page_words(language), comment=posted.get(COMMENT), hidden=hidden)
    return page(content, 503, {"retry-after": str(RETRY_SECONDS)})


@cache
def _message(kind: Kind, language: str) -> bytes:
    """A page of two sentences; made once, since strangers may ask for it often."""
    title, text = _TEXTS.get(kind, (f"{kind}_title", f"{kind}_text"))
    words = page_words(language)
    return rendered("message.html", words=words, title=words.say(title), text=words.say(text)).encode()

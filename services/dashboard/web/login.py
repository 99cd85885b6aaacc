"""Signing in and out: plain forms that work before any script is loaded."""

from html import escape
from typing import Annotated

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.web.forms import FORM, SESSION
from services.dashboard.web.plain import form_page, home_of, safe_next
from services.dashboard.web.resources import resources
from shared.errors import TooMany, Unauthorized, Unavailable
from shared.http.routing import Router

router = Router(include_in_schema=False)
Text = Annotated[str, Form(max_length=1000)]
AWAY_SECONDS = 60
STALE = "This page was open for too long, or was sent by another site. Please try again."


def address_of(request: Request) -> str:
    """The client's address; uvicorn has replaced it by the one that the proxies of `TELLBACK_TRUSTED_PROXIES`
    report."""
    if request.client:
        return request.client.host[:100]
    return "unknown"


def _login_page(request: Request, target: str, message: str = "", status: int = 200) -> Response:
    form = (
        '<form method="post" action="/login"><input type="hidden" name="token" value="{token}">'
        f'<input type="hidden" name="next" value="{escape(safe_next(target))}">'
        '<label>Name or e-mail<input name="email" autocomplete="username" required autofocus></label>'
        '<label>Password<input name="password" type="password" autocomplete="current-password" required></label>'
        '<button type="submit">Sign in</button></form>'
    )
    return form_page(request, "Sign in", form, message, status)


def _after_signing_in(target: str, visitor: Visitor | None) -> str:
    """The page that was asked for; where it was none in particular, the one that this person begins with."""
    target = safe_next(target)
    if target == "/" and visitor is not None:
        return home_of(visitor.user)
    return target


@router.get("/login")
async def login_page(request: Request) -> Response:
    """The login form; redirects visitors who are signed in already."""
    target = request.query_params.get("next", "/")
    visitor = await visitor_of(request)
    if visitor is not None:
        return RedirectResponse(_after_signing_in(target, visitor), status_code=303)
    return _login_page(request, target)


@router.post("/login")
async def login(
    request: Request,
    email: Text = "",
    password: Text = "",
    token: Text = "",
    next_: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Open a session."""
    found = resources()
    if not found.forms.fits(request, token):
        return _login_page(request, next_, STALE, 403)
    device, before = found.forms.device_of(request, email), request.cookies.get(SESSION)
    try:
        opened = await found.signing_in.sign_in(email, password, address_of(request), device=device, before=before)
        visitor = await found.signing_in.visitor(opened)
    except Unauthorized:
        return _login_page(request, next_, "The name or the password is wrong.", 401)
    except TooMany as error:
        minutes = (error.retry_after or 60) // 60 + 1
        answer = _login_page(request, next_, f"Too many tries. Please wait {minutes} minutes.", 429)
        answer.headers["retry-after"] = str(error.retry_after)
        return answer
    except Unavailable:
        return _login_page(request, next_, "Signing in does not work right now. Please try again in a minute.", 503)
    response = RedirectResponse(_after_signing_in(next_, visitor), status_code=303)
    found.forms.set_cookie(response, SESSION, opened)
    found.forms.remember_device(response, email)
    response.delete_cookie(FORM, path="/")
    return response


@router.post("/logout")
async def logout(request: Request, token: Text = "", everywhere: Text = "") -> Response:
    """End the session, or all sessions of this person."""
    found, visitor = resources(), await visitor_of(request)
    if visitor and not found.forms.fits(request, token):
        return RedirectResponse("/", status_code=303)
    if visitor:
        await found.signing_in.sign_out(visitor, everywhere=bool(everywhere))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION, path="/")
    return response


async def visitor_of(request: Request) -> Visitor | None:
    """The visitor who is signed in on this browser."""
    return await resources().signing_in.visitor(request.cookies.get(SESSION))

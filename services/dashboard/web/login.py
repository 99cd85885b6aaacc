"""Signing in and out, and one's own password: plain forms that work before any script has come."""

from html import escape
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.dashboard.domain.users import MIN_PASSWORD
from services.dashboard.handlers.signing_in import Visitor
from services.dashboard.web.assets import asset
from services.dashboard.web.forms import FORM, SESSION
from services.dashboard.web.guard import protect
from services.dashboard.web.resources import resources
from shared.errors import Invalid, TooMany, Unauthorized, Unavailable
from shared.http.routing import Router

router = Router(include_in_schema=False)
Text = Annotated[str, Form(max_length=1000)]
AWAY_SECONDS = 60
STALE = "This page was open for too long, or was sent by another site. Please try again."

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} – Tellback</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="{icon}"><link rel="stylesheet" href="{style}"></head>
<body class="plain"><main class="signin"><p class="brand">Tellback</p><h1>{title}</h1>{message}{form}</main></body>
</html>
"""


ASSETS = {"icon": asset("favicon.svg"), "style": asset("style.css")}


def safe_next(target: str) -> str:
    """Where to go after signing in: a path of ours, nothing else."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return target


def to_login(request: Request) -> RedirectResponse:
    """Send somebody to sign in, and back afterwards."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?{urlencode({'next': target})}" if target != "/" else "/login", status_code=303)


def address_of(request: Request) -> str:
    """Who asks: the server put in what the proxies of `TELLBACK_TRUSTED_PROXIES` wrote down."""
    return request.client.host[:100] if request.client else "unknown"


def away(error: Unavailable) -> HTMLResponse:
    """Instead of a page of which nobody can tell whether this person may see it."""
    title, message = "Not right now", '<p role="alert">The database does not answer. Please try again in a minute.</p>'
    response = HTMLResponse(PAGE.format(title=title, message=message, form="", **ASSETS), status_code=error.status)
    response.headers["retry-after"] = str(error.retry_after or AWAY_SECONDS)
    protect(response.headers, "none")
    return response


def _page(request: Request, title: str, form: str, message: str = "", status: int = 200) -> HTMLResponse:
    forms = resources().forms
    cookie = forms.cookie_for(request)
    shown = f'<p class="notice bad" role="alert">{escape(message)}</p>' if message else ""
    form = form.replace("{token}", forms.token(cookie))
    response = HTMLResponse(PAGE.format(title=escape(title), message=shown, form=form, **ASSETS), status_code=status)
    protect(response.headers, "none")
    if cookie != request.cookies.get(SESSION):
        forms.set_cookie(response, FORM, cookie)
    return response


def _login_page(request: Request, target: str, message: str = "", status: int = 200) -> HTMLResponse:
    form = (
        '<form method="post" action="/login"><input type="hidden" name="token" value="{token}">'
        f'<input type="hidden" name="next" value="{escape(safe_next(target))}">'
        '<label>Name or e-mail<input name="email" autocomplete="username" required autofocus></label>'
        '<label>Password<input name="password" type="password" autocomplete="current-password" required></label>'
        '<button type="submit">Sign in</button></form>'
    )
    return _page(request, "Sign in", form, message, status)


@router.get("/login")
async def login_page(request: Request) -> Response:
    """The form; who is signed in already goes on."""
    target = request.query_params.get("next", "/")
    if await _visitor(request):
        return RedirectResponse(safe_next(target), status_code=303)
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
    address = address_of(request)
    try:
        opened = await found.signing_in.sign_in(email, password, address, request.cookies.get(SESSION))
    except Unauthorized:
        return _login_page(request, next_, "The name or the password is wrong.", 401)
    except TooMany as error:
        minutes = (error.retry_after or 60) // 60 + 1
        answer = _login_page(request, next_, f"Too many tries. Please wait {minutes} minutes.", 429)
        answer.headers["retry-after"] = str(error.retry_after)
        return answer
    except Unavailable:
        return _login_page(request, next_, "Signing in does not work right now. Please try again in a minute.", 503)
    response = RedirectResponse(safe_next(next_), status_code=303)
    found.forms.set_cookie(response, SESSION, opened)
    response.delete_cookie(FORM, path="/")
    return response


@router.post("/logout")
async def logout(request: Request, token: Text = "", everywhere: Text = "") -> Response:
    """End the session, or all of this person's."""
    found, visitor = resources(), await _visitor(request)
    if visitor and not found.forms.fits(request, token):
        return RedirectResponse("/", status_code=303)
    if visitor:
        await found.signing_in.sign_out(visitor, everywhere=bool(everywhere))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION, path="/")
    return response


def _password_page(request: Request, message: str = "", status: int = 200) -> HTMLResponse:
    form = (
        '<form method="post" action="/password"><input type="hidden" name="token" value="{token}">'
        '<label>Present password<input name="old" type="password" autocomplete="current-password" required></label>'
        f"<label>New password, {MIN_PASSWORD} characters or more"
        f'<input name="new" type="password" autocomplete="new-password" minlength="{MIN_PASSWORD}" required></label>'
        '<button type="submit">Change it</button></form><p><a href="/">Back</a></p>'
    )
    return _page(request, "Your password", form, message, status)


@router.get("/password")
async def password_page(request: Request) -> Response:
    """The form."""
    return _password_page(request) if await _visitor(request) else to_login(request)


@router.post("/password")
async def change_password(request: Request, old: Text = "", new: Text = "", token: Text = "") -> Response:
    """Exchange one's password."""
    found, visitor = resources(), await _visitor(request)
    if visitor is None:
        return RedirectResponse("/login", status_code=303)
    if not found.forms.fits(request, token):
        return _password_page(request, STALE, 403)
    try:
        opened = await found.signing_in.change_password(visitor, old, new)
    except (Invalid, TooMany) as error:
        return _password_page(request, error.detail.capitalize(), error.status)
    response = RedirectResponse("/", status_code=303)
    found.forms.set_cookie(response, SESSION, opened)
    return response


async def _visitor(request: Request) -> Visitor | None:
    return await resources().signing_in.visitor(request.cookies.get(SESSION))

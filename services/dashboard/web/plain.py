"""Pages that work before any script has come, and that leave nothing behind in the process: forms, and what is to be
said to whoever is not signed in."""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.dashboard.web.assets import asset
from services.dashboard.web.forms import FORM, SESSION
from services.dashboard.web.gzip_cache import FOLDERS
from services.dashboard.web.headers import protect
from services.dashboard.web.resources import resources
from shared.http.edge import request_id_of
from shared.http.problem import of_status, problem_response

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} – Tellback</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="{icon}"><link rel="stylesheet" href="{style}"></head>
<body class="plain"><main class="signin"><p class="brand">Tellback</p><h1>{title}</h1>{message}{form}</main></body>
</html>
"""
ASSETS = {"icon": asset("favicon.svg"), "style": asset("style.css")}
AGAIN_AFTER = "60"
"""Seconds after which to come again where something of ours is away: the "minute" that the messages speak of."""
BACK = '<p><a href="/">To the portfolio</a></p>'


def plain_page(title: str, content: str = "", message: str = "", status: int = 200) -> HTMLResponse:
    """A page of HTML that is ours, with a message that is not."""
    shown = f'<p class="notice bad" role="alert">{escape(message)}</p>' if message else ""
    response = HTMLResponse(PAGE.format(title=escape(title), message=shown, form=content, **ASSETS), status)
    protect(response.headers, "none")
    if status == 503:
        response.headers["retry-after"] = AGAIN_AFTER
    return response


def form_page(request: Request, title: str, form: str, message: str = "", status: int = 200) -> HTMLResponse:
    """A page with a form that is bound to this browser: `{token}` in it becomes the token."""
    forms = resources().forms
    cookie = forms.cookie_for(request)
    response = plain_page(title, form.replace("{token}", forms.token(cookie)), message, status)
    if cookie != request.cookies.get(SESSION):
        forms.set_cookie(response, FORM, cookie)
    return response


async def unknown_page(request: Request, _error: Exception) -> Response:
    """What NiceGUI would make a page with a live connection of; a file that is not there is no page."""
    if request.url.path.startswith(FOLDERS):
        return problem_response(of_status(404), request_id_of(request.scope))
    return plain_page("There is no such page", BACK, status=404)


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

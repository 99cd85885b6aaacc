"""Pages that work before any script is loaded, and that leave no state in the process: forms, and messages for visitors
who are not signed in."""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.dashboard.domain.users import Role, User
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
"""Seconds until a retry while a dependency is away: the "minute" of the messages."""
HOME_OF_MANAGERS = "/my-day"
BACK = '<p><a href="/">To the portfolio</a></p>'


def plain_page(title: str, content: str = "", message: str = "", status: int = 200) -> HTMLResponse:
    """An HTML page; the content is our own markup, the message is escaped."""
    shown = ""
    if message:
        shown = f'<p class="notice bad" role="alert">{escape(message)}</p>'
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
    """The answer to an unknown address; NiceGUI's own would be a page with a live connection. For a missing file it is
    no page."""
    if request.url.path.startswith(FOLDERS):
        return problem_response(of_status(404), request_id_of(request.scope))
    return plain_page("There is no such page", BACK, status=404)


def safe_next(target: str) -> str:
    """The address after signing in: a path of the dashboard, never another site."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return target


def home_of(user: User) -> str:
    """The page that opens after signing in."""
    if user.role is Role.ACCOUNT_MANAGER:
        return HOME_OF_MANAGERS
    return "/"


def to_login(request: Request) -> RedirectResponse:
    """Redirect to the login, and back afterwards."""
    target, login = request.url.path, "/login"
    if request.url.query:
        target += f"?{request.url.query}"
    if target != "/":
        login += f"?{urlencode({'next': target})}"
    return RedirectResponse(login, status_code=303)

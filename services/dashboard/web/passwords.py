"""Setting a password: with the present one, or by a link from an admin that works once."""

from html import escape

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.dashboard.domain import wording
from services.dashboard.domain.users import MIN_PASSWORD
from services.dashboard.web.forms import SESSION
from services.dashboard.web.login import STALE, Text, visitor_of
from services.dashboard.web.plain import form_page, plain_page, to_login
from services.dashboard.web.resources import resources
from shared.errors import Gone, Invalid, TooMany
from shared.http.routing import Router

router = Router(include_in_schema=False)
SET_PATH = "/set-password"
NEW = (
    f"<label>New password, {MIN_PASSWORD} characters or more"
    f'<input name="new" type="password" autocomplete="new-password" minlength="{MIN_PASSWORD}" required></label>'
)


def _password_page(request: Request, message: str = "", status: int = 200) -> Response:
    form = (
        '<form method="post" action="/password"><input type="hidden" name="token" value="{token}">'
        '<label>Present password<input name="old" type="password" autocomplete="current-password" required></label>'
        f'{NEW}<button type="submit">Change it</button></form><p><a href="/">Back</a></p>'
    )
    return form_page(request, "Your password", form, message, status)


@router.get("/password")
async def password_page(request: Request) -> Response:
    """The form for a person who is signed in."""
    if await visitor_of(request):
        return _password_page(request)
    return to_login(request)


@router.post("/password")
async def change_password(request: Request, old: Text = "", new: Text = "", token: Text = "") -> Response:
    """Change one's own password."""
    found, visitor = resources(), await visitor_of(request)
    if visitor is None:
        return RedirectResponse("/login", status_code=303)
    if not found.forms.fits(request, token):
        return _password_page(request, STALE, 403)
    try:
        opened = await found.signing_in.change_password(visitor, old, new)
    except (Invalid, TooMany) as error:
        return _password_page(request, wording.sentence(error.detail), error.status)
    response = RedirectResponse("/", status_code=303)
    found.forms.set_cookie(response, SESSION, opened)
    return response


def _link_page(request: Request, link: str, name: str, message: str = "", status: int = 200) -> Response:
    form = (
        f'<form method="post" action="{SET_PATH}"><input type="hidden" name="token" value="{{token}}">'
        f'<input type="hidden" name="link" value="{escape(link)}">'
        f'<label>Name<input value="{escape(name)}" autocomplete="username" readonly></label>'
        f'{NEW}<button type="submit">Set it</button></form>'
    )
    return form_page(request, "Set your password", form, message, status)


@router.get(SET_PATH)
async def link_page(request: Request) -> Response:
    """The form for a person with a link. Opening the form does not use the link up: mail programs open links, too."""
    link = request.query_params.get("link", "")
    try:
        owner = await resources().signing_in.owner_of_link(link)
    except Gone as gone:
        return _gone_page(gone)
    return _link_page(request, link, owner.email)


@router.post(SET_PATH)
async def set_password(request: Request, link: Text = "", new: Text = "", token: Text = "") -> Response:
    """Set the password, then sign in with it."""
    found = resources()
    try:
        owner = await found.signing_in.owner_of_link(link)
        if not found.forms.fits(request, token):
            return _link_page(request, link, owner.email, STALE, 403)
        try:
            await found.signing_in.set_password(link, new)
        except Invalid as invalid:
            return _link_page(request, link, owner.email, invalid.detail, invalid.status)
    except Gone as gone:
        return _gone_page(gone)
    return RedirectResponse("/login", status_code=303)


def _gone_page(gone: Gone) -> Response:
    return plain_page("Set your password", '<p><a href="/login">Sign in</a></p>', gone.detail, gone.status)

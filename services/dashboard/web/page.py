"""The frame of all pages: who may see them, the head with its navigation, and the registration of a page."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui
from starlette.requests import Request

from services.dashboard.domain.users import ROLE_NAMES, Role, User
from services.dashboard.web.assets import asset
from services.dashboard.web.elements import Text, box, link
from services.dashboard.web.guard import visitor_of
from services.dashboard.web.plain import HOME_OF_MANAGERS, home_of
from services.dashboard.web.resources import resources
from services.dashboard.web.section import Visit
from services.dashboard.web.skeleton import colours, skeleton

Page = Callable[[Visit], Awaitable[None]]
Entries = Sequence[tuple[str, str]]
"""(path, name) of the entries of the navigation."""
NAVIGATION = (
    (HOME_OF_MANAGERS, "My day"),
    ("/", "Portfolio"),
    ("/accounts", "Accounts"),
    ("/people", "People"),
    ("/follow-ups", "Follow-ups"),
    ("/surveys", "Surveys"),
    ("/reach", "Reach"),
    ("/benchmarks", "Benchmarks"),
    ("/maturity", "Maturity"),
    ("/bring", "Bring your answers"),
    ("/settings", "Settings"),
)
"""The entries; `entries_of` leaves out those that are not for somebody's role."""
THEME = "tellback_theme"
THEMES = {"light": False, "dark": True}
SECONDS = 20.0


HEAD = f'<link rel="stylesheet" href="{asset("style.css")}"><script src="{asset("reader.js")}" defer></script>'


def page(
    path: str, title: str, *, scope: str = "read", bare: bool = False, remember: bool = False, charts: bool = False
) -> Callable[[Page], Page]:
    """Register a page for people whose role has the scope. `bare` pages have no navigation (made to print). A page that
    may `remember` shows what was seen there a moment ago until it is loaded again, so all that it draws must come from
    the loaded data. A page with `charts` starts loading the chart library with the page."""

    def register(draw: Page) -> Page:
        async def build(request: Request) -> None:
            found, visitor = resources(), visitor_of(request)
            asked = dict(request.path_params), dict(request.query_params)
            visit = Visit(found, visitor, *asked, ui.context.client, remember)
            entries = entries_of(visitor.user)
            if bare:
                _head(request, title, entries, None)
            else:
                _head(request, title, entries, _entry_of(path))
                _navigation(visit, request, entries, _entry_of(path))
            for line in await found.halts.lines():
                Text("p", line, "notice warn", role="status")
            with _main(bare=bare, charts=charts) as visit.main:
                if visitor.user.may(scope):
                    await draw(visit)
                    await visit.open()
                else:
                    Text("h1", title)
                    _draw_refusal(visitor.user)

        ui.page(path, title=f"{title} – Tellback", response_timeout=SECONDS)(build)
        return draw

    return register


def _draw_refusal(user: User) -> None:
    Text("p", f"This page is not for the role {ROLE_NAMES[user.role].lower()}.", "empty")
    Text("p", "An admin can give you another role.", "empty")
    link("Go to the first page", home_of(user), "button")


def _main(*, bare: bool, charts: bool) -> ui.element:
    main = box("main", "page", id="main")
    if bare:
        main.classes("bare")
    if charts:
        main.props["data-charts"] = ""
    return main


def _head(request: Request, title: str, entries: Entries, here: str | None) -> None:
    theme = request.cookies.get(THEME, "")
    ui.add_head_html(HEAD + colours(theme))
    ui.add_body_html(skeleton(title, entries, here))
    ui.dark_mode(THEMES.get(theme))
    ui.query(".nicegui-content").classes("shell")


def entries_of(user: User) -> Entries:
    """The entries of the navigation for a person: only account managers have a day of their own, only admins
    settings, and only who may post answers brings files."""
    hidden = set()
    if user.role is not Role.ACCOUNT_MANAGER:
        hidden.add(HOME_OF_MANAGERS)
    if not user.may("manage"):
        hidden.add("/settings")
    if not user.may("ingest"):
        hidden.add("/bring")
    return [(path, name) for path, name in NAVIGATION if path not in hidden]


def _entry_of(path: str) -> str:
    """The entry of the navigation that a path belongs to; empty where it belongs to none."""
    for entry, _ in NAVIGATION:
        if _within(path, entry):
            return entry
    return ""


def _navigation(visit: Visit, request: Request, entries: Entries, here: str) -> None:
    link("To the content", "#main", "skip")
    with box("header", "top"):
        link("Tellback", home_of(visit.user), "brand")
        with box("nav", aria_label="Pages"):
            for path, name in entries:
                entry = link(name, path)
                if here == path:
                    entry.props["aria-current"] = "page"
        with box("details", "me"):
            Text("summary", visit.user.name, aria_label=f"{visit.user.name}: your account")
            with box(classes="menu"):
                Text("p", f"{visit.user.email}, {ROLE_NAMES[visit.user.role].lower()}", "muted")
                _themes(request)
                link("Change the password", "/password")
                with box("form", method="post", action="/logout"):
                    forms = resources().forms
                    box("input", type="hidden", name="token", value=forms.token(visit.visitor.token))
                    with box("div", "buttons"):
                        Text("button", "Sign out", type="submit")
                        Text("button", "Everywhere", type="submit", name="everywhere", value="yes",
                             title="Sign out on all devices")  # fmt: skip


def _themes(request: Request) -> None:
    """The choice of light, dark, or the device's setting; kept in a cookie of this browser."""
    chosen = request.cookies.get(THEME, "auto")
    with box("div", "themes", role="group", aria_label="Colours"):
        for name in ("auto", "light", "dark"):
            Text("button", name.capitalize(), type="button", data_theme=name, aria_pressed=str(name == chosen).lower())


def _within(here: str, path: str) -> bool:
    return here == path or (path != "/" and here.startswith(f"{path}/"))

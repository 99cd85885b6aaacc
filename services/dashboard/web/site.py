"""All pages, mounted into the service's application."""

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from services.dashboard.web import accounts, answers, benchmarks, maturity, my_day, people, review
from services.dashboard.web.account import explanation, person
from services.dashboard.web.account import page as account
from services.dashboard.web.assets import FOLDER, serve_assets
from services.dashboard.web.bring import draft as bring_draft
from services.dashboard.web.bring import page as bring
from services.dashboard.web.bring import posting as bring_posting
from services.dashboard.web.bring import report as bring_report
from services.dashboard.web.directory import receipt
from services.dashboard.web.follow_ups import board, detail
from services.dashboard.web.guard import PageGuard
from services.dashboard.web.gzip_cache import GzipCache
from services.dashboard.web.live import bind_messages
from services.dashboard.web.plain import unknown_page
from services.dashboard.web.portfolio import page as portfolio
from services.dashboard.web.programmes import beginning as programme_beginning
from services.dashboard.web.programmes import detail as programme
from services.dashboard.web.programmes import editing as programme_editing
from services.dashboard.web.programmes import listing as programmes
from services.dashboard.web.resources import resources
from services.dashboard.web.settings import access, dead_letters, endpoint, notifications, rule, rules, webhooks
from services.dashboard.web.surveys import (
    asks,
    beginning,
    bounces,
    editor,
    listing,
    loop_backs,
    many,
    objections,
    review_making,
    reviews,
    sending_domain,
    waves,
)

PAGES = (
    my_day, portfolio, accounts, answers, account, person, explanation, people, board, detail, benchmarks, maturity,
    review, bring, bring_posting, bring_draft, bring_report, receipt,
    webhooks, endpoint, rules, rule, notifications, dead_letters, access,
    listing, beginning, editor, many, asks, review_making, reviews, objections,
    bounces, sending_domain, waves, loop_backs,
    programmes, programme_beginning, programme, programme_editing,
)  # fmt: skip
"""Importing a page registers it."""
RECONNECT_SECONDS = 30.0


def mount(app: FastAPI) -> None:
    """Put NiceGUI, guarded, behind the routes of the service; of several services in one process the last has it."""
    serve_assets()
    nicegui_app.add_exception_handler(404, unknown_page)
    nicegui_app.config.socket_io_js_transports = ["websocket"]
    ui.run_with(
        app,
        title="Tellback",
        favicon=(FOLDER / "favicon.svg").read_text(),
        language="en-US",
        dark=None,
        tailwind=False,
        reconnect_timeout=RECONNECT_SECONDS,
        gzip_middleware_factory=None,
        show_welcome_message=False,
    )
    bind_messages(lambda: resources().live)
    mounted = app.router.routes[-1]
    if not isinstance(mounted, Mount):
        raise TypeError("NiceGUI is expected to be the last of the routes")
    mounted.app = GzipCache(GZipMiddleware(PageGuard(mounted.app), minimum_size=1000, compresslevel=5))

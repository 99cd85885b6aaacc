"""The page of one account: its score with the answers behind it, its people, comments and follow-ups."""

from services.dashboard.domain import wording
from services.dashboard.web.account.comments import place_comments
from services.dashboard.web.account.comparison import place_comparison
from services.dashboard.web.account.follow_ups import place_follow_ups
from services.dashboard.web.account.head import place_head
from services.dashboard.web.account.merging import doubles
from services.dashboard.web.account.people import place_people
from services.dashboard.web.account.score import place_score
from services.dashboard.web.account.timeline import place_timeline
from services.dashboard.web.account.touchpoints import place_touchpoints
from services.dashboard.web.account.trend import place_trend
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.directory.accounts import changing, place_invitation
from services.dashboard.web.directory.people import adding
from services.dashboard.web.elements import account_address, address, box, choices, link
from services.dashboard.web.follow_ups.opening import opening
from services.dashboard.web.page import page
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.linking import making
from services.dashboard.web.surveys.loop_backs import telling


@page("/accounts/{account_id}", "Account", charts=True)
async def account(visit: Visit) -> None:
    """Draw the page; the window is in the address."""
    window = visit.chosen("window", wording.WINDOWS, "365d")
    view = AccountView(visit, visit.path["account_id"], window)
    place_head(view)
    place_invitation(visit, view.account_id, view.account)
    _choices(view)
    with box("div", "columns"):
        with box("div", "stack"):
            place_score(view)
            place_comments(view)
        with box("div", "stack"):
            place_trend(view)
            place_follow_ups(view)
            place_touchpoints(view)
    with box("div", "stack"):
        place_people(view)
        with box("div", "columns"):
            place_timeline(view)
            place_comparison(view)


def _choices(view: AccountView) -> None:
    with box("div", "buttons"):
        link("Review pack", f"{account_address(view.account_id)}/review", "button")
        opening(view.visit, view.account_id)
        making(view.visit, view.account_id)
        telling(view.visit, view.account_id)
        link("Who was asked", address("/surveys/asks", account_id=view.account_id), "button")
        adding(view.visit, view.account_id)
        doubles(view)
        changing(view.visit, view.account_id)
    with box("div", "buttons"):
        choices("Window", wording.WINDOWS, view.window, "?window={}".format)

"""Business reviews: which accounts wait for one, by owner, and those that were made, with who opened and answered."""

from collections.abc import Sequence
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.accounts_json import TIERS
from services.dashboard.web.elements import (
    Cell,
    Text,
    account_address,
    account_link,
    box,
    empty,
    link,
    person_link,
    tab_title,
    table,
    when,
)
from services.dashboard.web.form_fields import attempt, button, filters, sure
from services.dashboard.web.page import page
from services.dashboard.web.section import Section, Visit
from services.dashboard.web.surveys.link_rows import draw_link
from services.dashboard.web.surveys.tabs import tabs
from shared.api.asks import AskLink
from shared.api.business_reviews import BusinessReview, DueReview, ListedReview, ReviewRecipient
from shared.api.calls import WITHDRAW_REVIEW
from shared.api.questions import BUSINESS_REVIEW, BUSINESS_REVIEWS, DUE_REVIEWS
from shared.http.client import Api, within

MOST = 200
NOBODY = "nobody"
LEAD = "What you showed a client and what was said since, behind a link that ends with the question"
DUE = "Accounts without a review for a quarter; their owners are reminded once a quarter"


@page("/surveys/reviews", "Business reviews")
async def reviews(visit: Visit) -> None:
    """Draw the page; the owner is in the address."""
    tabs(visit, "/surveys/reviews", LEAD)
    account_id = visit.query.get("account_id")

    async def load(api: Api) -> list[ListedReview]:
        return await api.ask_all(BUSINESS_REVIEWS, most=MOST, account_id=account_id)

    async def load_due(api: Api) -> list[DueReview]:
        return await api.ask_all(DUE_REVIEWS, most=MOST)

    Section(visit, "Reviews", load, _draw, classes="wide")
    Section(visit, "Due", load_due, partial(_draw_due, visit), classes="wide", lead=DUE)


def review_address(review_id: str) -> str:
    """The address of a review's page."""
    return within("/surveys/reviews", review_id)


def making_address(account_id: str) -> str:
    """The address of the form for a review of an account."""
    return f"{account_address(account_id)}/review/share"


def _draw(found: list[ListedReview]) -> None:
    if not found:
        empty(
            "No review was made yet.", "Make one for an account below, or from the review pack on the account’s page."
        )
        return
    rows = [_row(review) for review in found]
    table(("Account", "Held on", "Recipients", "Opened", "Answered", "Links work until"), rows, "Business reviews")


def _row(review: ListedReview) -> list[Cell]:
    until: Cell = partial(when, review.closes_at)
    if review.withdrawn_at is not None:
        until = "withdrawn"
    return [
        partial(link, review.account_name or review.account_id, review_address(review.review_id)),
        partial(when, review.held_on),
        wording.grouped(review.recipient_count),
        _of(review.opened_count, review.recipient_count),
        _of(review.answered_count, review.recipient_count),
        until,
    ]


def _of(number: int, whole: int) -> str:
    if not whole:
        return "0"
    return f"{number} ({wording.share(number / whole)})"


def _draw_due(visit: Visit, found: list[DueReview]) -> None:
    if not found:
        empty("No account waits for a review.", "Each does a quarter after its last one.")
        return
    owners = {}
    for due in found:
        owners[_owner_of(due)] = _owner_name(due)
    filters("/surveys/reviews", [("owner", "Owner", owners)], visit.query)
    wanted = visit.query.get("owner")
    shown = [due for due in found if wanted in (None, "", _owner_of(due))]
    heads = ("Account", "Tier", "Owner", "Last review", "Owner reminded", "")
    table(heads, [_due_row(visit, due) for due in shown], "Reviews that are due")


def _owner_of(due: DueReview) -> str:
    if due.owner is None:
        return NOBODY
    return due.owner.email or due.owner.name or NOBODY


def _owner_name(due: DueReview) -> str:
    if due.owner is None:
        return "Nobody"
    return due.owner.name or due.owner.email or "Nobody"


def _due_row(visit: Visit, due: DueReview) -> list[Cell]:
    last: Cell = "never"
    if due.last_held_on is not None:
        last = partial(when, due.last_held_on)
    return [
        partial(account_link, due.account_id, due.account_name),
        TIERS.get(due.tier or "", wording.plain(due.tier)),
        _owner_name(due),
        last,
        partial(when, due.reminded_at),
        partial(_draw_making, visit, due),
    ]


def _draw_making(visit: Visit, due: DueReview) -> None:
    if visit.user.may("act"):
        made = link("Make one", making_address(due.account_id), "button")
        made.props["aria-label"] = f"Make a review for {due.account_name or due.account_id}"


@page("/surveys/reviews/{review_id}", "Business review")
async def review(visit: Visit) -> None:
    """Draw one review."""
    review_id = visit.path["review_id"]

    async def load(api: Api) -> BusinessReview:
        return await api.ask(BUSINESS_REVIEW, review_id=review_id)

    tabs(visit, "/surveys/reviews", LEAD)
    Section(visit, "", load, partial(_draw_head, visit), classes="plain", subject="business review")
    with box("div", "stack"):
        Section(visit, "Recipients", load, partial(_draw_recipients, visit))
        Section(visit, "What they see", load, draw_copy)


def _draw_head(visit: Visit, review: BusinessReview) -> None:
    tab_title(f"Review of {review.account_name or review.account_id}")
    with box("h2"):
        account_link(review.account_id, review.account_name)
    with box("p", "lead"):
        Text("span", "Held on ")
        when(review.held_on)
        if review.withdrawn_at is not None:
            Text("span", " · withdrawn ")
            when(review.withdrawn_at)
        else:
            Text("span", " · the links work until ")
            when(review.closes_at)
    for warning in review.warnings:
        Text("p", wording.plain(warning), "muted")
    if review.withdrawn_at is not None or not visit.user.may("act"):
        return

    async def withdraw() -> None:
        api = await visit.api()
        await attempt(api.call(WITHDRAW_REVIEW, review_id=review.review_id), "Withdrawn")
        await visit.refresh()

    text = "Its links say then that it was withdrawn. Answers that were given stay."
    with box("div", "buttons"):
        button("Withdraw", lambda: sure("Withdraw the review?", text, "Withdraw it", withdraw))


def _draw_recipients(visit: Visit, review: BusinessReview) -> None:
    for recipient in review.recipients:
        with box("div", "linkrow"):
            _draw_recipient(visit, review, recipient)


def _draw_recipient(visit: Visit, review: BusinessReview, recipient: ReviewRecipient) -> None:
    with box("p"):
        person_link(review.account_id, recipient.stakeholder_id, recipient.name)
        Text("span", f" · {_came_of(recipient)}", "muted")
    if recipient.state == "sent" and recipient.url is not None:
        link_ = AskLink(invitation_id=recipient.ask_id, url=recipient.url, expires_at=review.closes_at)
        draw_link(visit, link_, recipient.name or recipient.stakeholder_id)


def _came_of(recipient: ReviewRecipient) -> str:
    if recipient.answered_at is not None:
        return "▲ answered"
    if recipient.opened_at is not None:
        return "● opened"
    if recipient.state == "withdrawn":
        return "○ withdrawn"
    return "○ not opened yet"


def draw_copy(review: BusinessReview) -> None:
    """Draw what the client sees, in short."""
    copy = review.copy_
    Text("p", "Without names, addresses and ids of people.", "muted")
    if review.intro:
        Text("blockquote", review.intro, "quote")
    rows: list[list[Cell]] = []
    for score in copy.scores:
        who = wording.TYPE_NAMES.get(score.stakeholder_type or "", "Everybody")
        rows.append([who, wording.points(score.nps_then), wording.points(score.nps_now), str(score.people_now)])
    table(("Who", "NPS then", "NPS now", "People"), rows, "Scores")
    _draw_list("Comments", [said.comment for said in copy.said])
    _draw_list("What was done", [deed.what_was_done or deed.promised or "Closed" for deed in copy.done])
    if copy.open_points:
        Text("p", f"{wording.count(copy.open_points, 'point')} still open.", "muted")


def _draw_list(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    Text("h3", title)
    with box("ul"):
        for line in lines:
            Text("li", line)

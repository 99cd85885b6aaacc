"""The score of an account: of all people, and by role."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.account.explanation import explained_at
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Cell, Text, empty, link, shares, table
from services.dashboard.web.score_view import headline
from services.dashboard.web.section import Section
from shared.api.accounts import Account, RoleFigures


def place_score(view: AccountView) -> None:
    """The section of the score."""
    Section(view.visit, "Score", view.account, _draw)


def _draw(account: Account) -> None:
    if not account.response_count:
        empty("Nobody here has answered in this window.", "Choose a longer one above.")
        return
    headline(account, {"account_id": account.account_id, "window": account.window})
    link("Why: every answer behind it", explained_at(account.account_id, window=account.window))
    rows = [_row(account, role) for role in account.by_stakeholder_type if role.response_count]
    if rows:
        Text("h3", "By role")
        table(("Role", "NPS", "Change", "Respondents", ""), rows, "NPS by role")


def _row(account: Account, role: RoleFigures) -> list[Cell]:
    target = explained_at(account.account_id, window=account.window, stakeholder_type=role.stakeholder_type)
    return [
        partial(link, f"{wording.TYPE_NAMES[role.stakeholder_type]}s", target),
        wording.points(role.nps),
        wording.points(role.change),
        wording.grouped(role.stakeholder_count),
        partial(shares, role),
    ]

"""The head of an account's page: name, class and attributes."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Cell, Text, box, class_chip, facts, money, when
from services.dashboard.web.section import Section
from shared.api.accounts import Account, Contact, Money
from shared.industries import NAMES as INDUSTRIES

NO_OWNER = "nobody: follow-ups go to the default owner"


def place_head(view: AccountView) -> None:
    """The head of the page."""
    Section(view.visit, "", view.account, _draw, classes="plain")


def _draw(account: Account) -> None:
    with box("div", "head"), box():
        Text("h1", account.name or account.account_id)
        with box("p", "lead"):
            class_chip(account.class_)
            Text("span", f" {account.class_rule}")
    industry = INDUSTRIES.get(account.industry or "", account.industry) or wording.NOTHING
    with box("div", "headfacts"):
        facts(
            {
                "Industry": industry,
                "Tier, region": f"{wording.plain(account.tier)}, {account.region or wording.NOTHING}",
                "Renews": partial(when, account.renewal_on),
                "Revenue a year": _revenue(account.annual_revenue),
                "Owner": _named(account.owner) or NO_OWNER,
                "Sponsor": _named(account.sponsor) or wording.NOTHING,
            }
        )


def _revenue(revenue: Money | None) -> Cell:
    return wording.NOTHING if revenue is None else partial(money, revenue.amount, revenue.currency)


def _named(contact: Contact | None) -> str | None:
    return None if contact is None else contact.name or contact.email

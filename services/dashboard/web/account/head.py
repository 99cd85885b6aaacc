"""The head of an account's page: name, class and attributes."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Text, annual_revenue, box, class_chip, facts, tab_title, when
from services.dashboard.web.section import Section
from shared.api.accounts import Account, Contact
from shared.industries import NAMES as INDUSTRIES

NO_OWNER = "nobody: follow-ups go to the default owner"


def place_head(view: AccountView) -> None:
    """The head of the page."""
    Section(view.visit, "", view.account, _draw, classes="plain", subject="account")


def _draw(account: Account) -> None:
    name = account.name or account.account_id
    tab_title(name)
    with box("div", "head"), box():
        Text("h1", name)
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
                "Revenue a year": annual_revenue(account.annual_revenue),
                "Owner": _named(account.owner) or NO_OWNER,
                "Sponsor": _named(account.sponsor) or wording.NOTHING,
            }
        )


def _named(contact: Contact | None) -> str | None:
    if contact is None:
        return None
    return contact.name or contact.email

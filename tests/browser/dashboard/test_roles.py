"""The pages as somebody sees them who may not do everything: they fit, are accessible, and offer nothing that the role
may not do."""

import pytest
from playwright.async_api import Browser, Page

from tests.browser.dashboard.looking import LOOKS, errors_of, faults
from tests.browser.dashboard.site import Site, admitted, open_page, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
INES = "ines.falk@supplier.example"
PAGES = {
    "portfolio": "/",
    "my-day": "/my-day",
    "reach": "/reach",
    "accounts": "/accounts",
    "account": "/accounts/ironbridge",
    "person": "/accounts/northwind/people/mara.lindqvist@northwind.example",
    "people": "/people",
    "answers": "/answers",
    "follow-ups": "/follow-ups",
    "follow-ups-loop": "/follow-ups?view=loop",
    "review": "/accounts/ironbridge/review",
    "review-share": "/accounts/northwind/review/share",
    "benchmarks": "/benchmarks",
    "maturity": "/maturity",
    "surveys": "/surveys",
    "survey-links": "/surveys/links",
    "programmes": "/surveys/programmes",
    "waves": "/surveys/waves",
    "asks": "/surveys/asks",
    "reviews": "/surveys/reviews",
    "loop-backs": "/surveys/loop-backs",
    "objections": "/surveys/objections",
    "sending-domain": "/surveys/sending-domain",
    "settings": "/settings",
    "bring": "/bring",
    "password": "/password",
}
"""What differs by role: everything but the pages of the settings, which are all for admins alone."""
OPENS = {"Viewer": "Portfolio", "Account manager": "My day"}


@pytest.mark.parametrize(("role", "email"), [("Viewer", "vic@supplier.example"), ("Account manager", INES)])
async def test_every_page_of_another_role_fits_and_is_accessible(
    browser: Browser, page: Page, where: Site, role: str, email: str
) -> None:
    password = await admitted(page, browser, where, email, role)
    aim = {"owner": INES, "target": 0.6}
    assert (await where.installation.outreach.put("/v1/response-targets", json=aim)).is_success
    found = {}
    for look in ("wide-light", "narrow-dark"):
        context = await LOOKS[look].context(browser)
        own = await context.new_page()
        errors = errors_of(own)
        await sign_in(own, where, email, password, OPENS[role])
        for name, path in PAGES.items():
            errors.clear()
            await open_page(own, where, path)
            picture = f"{role.lower().replace(' ', '-')}-{name}"
            found[f"{picture}-{look}"] = [*await faults(own, picture, look), *errors]
        await context.close()
    assert {name: some for name, some in found.items() if some} == {}

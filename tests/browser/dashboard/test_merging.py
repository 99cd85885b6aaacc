"""Two records that are one person: found on the page of their account, merged after a look at it, and parted again."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.dashboard.site import Site, loaded, open_page
from tests.support.polling import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ACCOUNT, OWN_ID, ADDRESS = "clearvoice", "C-2041", "nora.field@clearvoice.example"
PEOPLE = f"/v1/accounts/{ACCOUNT}/stakeholders"


async def person_of(where: Site, any_id: str) -> str:
    """Whose an id is, as the collector has it."""
    answer = await where.installation.collector.get(f"{PEOPLE}/{any_id}")
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["stakeholder_id"]
    return found


async def answers_of(where: Site, any_id: str) -> tuple[str, int]:
    """Whose an id is, as the scorer has it, and how many answers the person has given."""
    answer = await where.installation.scorer.get(f"{PEOPLE}/{any_id}")
    if answer.status_code != 200:
        return "", 0
    found = answer.json()
    return found["stakeholder_id"], len(found["responses"])


async def test_two_people_are_merged_after_a_look_at_it_and_parted_again(page: Page, where: Site) -> None:
    collector = where.installation.collector
    for stakeholder_id, title in ((OWN_ID, "Head of Facilities"), (ADDRESS, "Facilities")):
        put = await collector.put(f"{PEOPLE}/{stakeholder_id}", json={"name": "Nora Field", "job_title": title})
        assert put.is_success, put.text
    await where.post_answer(ACCOUNT, ADDRESS, 8, "Good.")
    body = {"account_id": ACCOUNT, "stakeholder_id": OWN_ID, "survey_type": "nps", "score": 9}
    assert (await collector.post("/v1/responses", json=body)).status_code == 202
    apart = [(OWN_ID, 1), (ADDRESS, 1)]

    async def have(expected: list[tuple[str, int]]) -> bool:
        return [await answers_of(where, any_id) for any_id in (OWN_ID, ADDRESS)] == expected

    await eventually(lambda: have(apart), timeout=30)

    await open_page(page, where, f"/accounts/{ACCOUNT}")
    await page.get_by_role("button", name="Likely doubles").click()
    choice = page.get_by_role("dialog", name="Likely the same person")
    await choice.get_by_label("Who is who").select_option(label=f"{ADDRESS} is {OWN_ID}: the same name")
    await choice.get_by_role("button", name="See what it does").click()
    look = page.get_by_role("dialog", name="Merge two people")
    await expect(look).to_contain_text("Nora Field would be one person with these further ids:")
    await expect(look.get_by_role("listitem")).to_have_text([ADDRESS])
    assert await person_of(where, ADDRESS) == ADDRESS, "a look changes nothing"
    await look.get_by_role("button", name="Merge them").click()
    await expect(look).to_be_hidden()
    await eventually(lambda: have([(OWN_ID, 2), (OWN_ID, 2)]), timeout=30)
    assert await person_of(where, ADDRESS) == OWN_ID

    await open_page(page, where, f"/accounts/{ACCOUNT}/people/{ADDRESS}")
    await expect(page.get_by_text(ADDRESS).first).to_be_visible()
    await page.get_by_role("button", name="Part", exact=True).click()
    await expect(page.get_by_role("button", name="Part", exact=True)).to_have_count(0)
    await eventually(lambda: have(apart), timeout=30)
    assert await person_of(where, ADDRESS) == ADDRESS
    await page.reload()
    await loaded(page)
    await expect(page.get_by_text("Good.", exact=True).first).to_be_visible()

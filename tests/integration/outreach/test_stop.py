"""The page on which a person objects to being asked: a GET changes nothing, one click does."""

from dataclasses import replace

from services.outreach.domain.tokens import Purpose, Tokens
from tests.support.respondents import Respondents

ADDRESS = "ada@acme.example"
OLD_KEY = "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def objections(site: Respondents) -> list[tuple[str, bool]]:
    rows = await site.rows("select source, lifted_at is null as holds from suppressions order by created_at, source")
    return [(row["source"], row["holds"]) for row in rows]


async def test_one_click_of_a_mail_program_objects_and_tells_it_of_open_asks(site: Respondents) -> None:
    digest = site.tokens.address_hash(ADDRESS).digest
    ask_id = await site.ask(address_hash=digest)
    await site.ask(address_hash=digest, expired_at=site.clock.now())
    await site.ask(address_hash=digest, origin="test")
    for _ in range(2):
        answer = await site.client.post(site.stop_link(ADDRESS), data=ONE_CLICK)
        assert answer.status_code == 200
    assert await objections(site) == [("one_click", True)]
    [call] = await site.calls()
    assert (call["key"], call["body"]["kind"]) == (f"fact:{ask_id}:unsubscribed", "unsubscribed")
    assert (await site.asked(ask_id))["unsubscribed_at"] == site.clock.now()


async def test_one_click_comes_as_multipart_too(site: Respondents) -> None:
    answer = await site.client.post(site.stop_link(ADDRESS), files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.status_code == 200
    assert await objections(site) == [("one_click", True)]


async def test_the_page_has_a_button_and_takes_the_objection_back(site: Respondents) -> None:
    link = site.stop_link(ADDRESS)
    page = (await site.client.get(link)).text
    assert 'value="stop"' in page
    assert ADDRESS not in page
    assert "Done." in (await site.post(link, action="stop", lang="en")).text
    assert 'value="resume"' in (await site.client.get(link)).text
    assert await objections(site) == [("page", True)]
    await site.post(link, action="resume", lang="en")
    assert await objections(site) == [("page", False)]
    await site.client.post(link, data=ONE_CLICK)
    assert ("one_click", True) in await objections(site)


async def test_what_else_is_posted_changes_nothing(site: Respondents) -> None:
    for form in ({"action": "x"}, {"List-Unsubscribe": "Maybe"}, {"score": "9"}):
        assert (await site.client.post(site.stop_link(ADDRESS), data=form)).status_code == 200
    assert await objections(site) == []


async def test_c31_an_objection_is_stored_when_nothing_else_is_known(site: Respondents) -> None:
    """After an erasure there is no ask and no person; the link of the old mail still works."""
    assert (await site.client.post(site.stop_link("gone@acme.example"), data=ONE_CLICK)).status_code == 200
    assert await objections(site) == [("one_click", True)]


async def test_a_german_browser_reads_german(site: Respondents) -> None:
    page = await site.client.get(site.stop_link(ADDRESS), headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    assert '<html lang="de"' in page.text


async def test_c32_objections_made_under_an_old_key_hold_and_name_it(site: Respondents) -> None:
    """As after a rotation: the person was asked under the old key, and asked again under the new one."""
    old, ring = Tokens([OLD_KEY]), Tokens([*site.environment.common.key_ring, OLD_KEY])
    before, now = old.address_hash(ADDRESS), ring.address_hash(ADDRESS)
    await site.rows(
        "insert into stakeholders (account_id, stakeholder_id, email, recorded_at, event_id, record)"
        " values ('acme', 'ada', $1, now(), gen_random_uuid(), '{}')",
        ADDRESS,
    )
    await site.ask(address_hash=before.digest, address_key_id=before.key_id)
    newer = await site.ask(address_hash=now.digest, address_key_id=now.key_id)
    pages = site.app.state.pages
    site.app.state.pages = replace(pages, tokens=ring)
    try:
        link = f"/u/{old.made(Purpose.UNSUBSCRIBE, before.digest)}"
        assert (await site.client.post(link, data=ONE_CLICK)).status_code == 200
        [row] = await site.rows("select address_hash, key_id from suppressions where lifted_at is null")
        assert (bytes(row["address_hash"]), row["key_id"]) == (before.digest, before.key_id)
        assert (await site.asked(newer))["unsubscribed_at"] == site.clock.now()
        newest = f"/u/{ring.made(Purpose.UNSUBSCRIBE, now.digest, now.key_id)}"
        assert 'value="resume"' in (await site.client.get(newest)).text
        await site.post(newest, action="resume", lang="en")
        assert await objections(site) == [("one_click", False)]
    finally:
        site.app.state.pages = pages

"""The page on which a person objects to being asked: a GET changes nothing, one click does."""

from tests.support.respondents import Respondents

ADDRESS = "ada@acme.example"
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

"""People set their passwords by a link from an admin: once, in time, and nobody else learns the password."""

import re
from datetime import timedelta

import httpx
import pytest

from services.dashboard.domain.users import Role, User
from services.dashboard.handlers.people import LINK_LASTS, Link
from services.dashboard.web.passwords import SET_PATH
from services.dashboard.web.resources import Resources
from shared.errors import Conflict, Gone, Unauthorized
from tests.integration.dashboard.test_login import browser, sign_in, token_of
from tests.support.clock import FrozenClock

__all__ = ["browser"]
BEN = "ben@supplier.example"
CHOSEN = "correct horse battery"


@pytest.fixture
async def admin(resources: Resources) -> User:
    await resources.desk.first_admin()
    return (await resources.desk.everybody())[0]


@pytest.fixture
async def link(resources: Resources, admin: User) -> Link:
    """The link of Ben, who is new."""
    return await resources.desk.add(admin, BEN, "Ben", Role.VIEWER)


async def ben(resources: Resources) -> User:
    return next(user for user in await resources.desk.everybody() if user.email == BEN)


async def use(browser: httpx.AsyncClient, link: Link, new: str = CHOSEN) -> httpx.Response:
    token = await token_of(browser, f"{SET_PATH}?link={link.token}")
    return await browser.post(SET_PATH, data={"link": link.token, "new": new, "token": token})


async def test_somebody_new_sets_a_password_and_signs_in_with_it(browser: httpx.AsyncClient, link: Link) -> None:
    answer = await use(browser, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await sign_in(browser, CHOSEN, BEN)).status_code == 303


@pytest.mark.parametrize("typed", ["", "None", CHOSEN])
async def test_before_that_no_password_is_right(browser: httpx.AsyncClient, link: Link, typed: str) -> None:
    assert (await sign_in(browser, typed, BEN)).status_code == 401


async def test_a_link_works_once_and_looking_at_it_does_not_count(browser: httpx.AsyncClient, link: Link) -> None:
    for _ in range(3):
        assert (await browser.get(SET_PATH, params={"link": link.token})).status_code == 200
    token = await token_of(browser, f"{SET_PATH}?link={link.token}")
    form = {"link": link.token, "new": CHOSEN, "token": token}
    assert (await browser.post(SET_PATH, data=form)).status_code == 303
    again = await browser.post(SET_PATH, data=form | {"new": "another long password"})
    assert again.status_code == 410
    assert "has been used, or is too old" in again.text
    assert (await browser.get(SET_PATH, params={"link": link.token})).status_code == 410
    assert (await sign_in(browser, CHOSEN, BEN)).status_code == 303


async def test_a_weak_password_is_refused_in_words_and_the_link_stays(browser: httpx.AsyncClient, link: Link) -> None:
    weak = await use(browser, link, "short")
    assert weak.status_code == 422
    assert "12 characters or more" in weak.text
    assert (await use(browser, link)).status_code == 303


async def test_a_form_of_another_site_sets_no_password(browser: httpx.AsyncClient, link: Link) -> None:
    form = {"link": link.token, "new": CHOSEN}
    assert (await browser.post(SET_PATH, data=form | {"token": "made up"})).status_code == 403
    assert (await use(browser, link)).status_code == 303


async def test_a_link_ends_by_itself_and_with_the_next_one(
    resources: Resources, clock: FrozenClock, admin: User, link: Link
) -> None:
    newer = await resources.desk.password_link(admin, (await ben(resources)).user_id)
    with pytest.raises(Gone):
        await resources.signing_in.set_password(link.token, CHOSEN)
    clock.advance(LINK_LASTS - timedelta(seconds=1))
    await resources.signing_in.owner_of_link(newer.token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Gone):
        await resources.signing_in.set_password(newer.token, CHOSEN)


async def test_until_it_is_used_nothing_changes_then_all_sessions_of_the_person_end(
    resources: Resources, admin: User, link: Link
) -> None:
    await resources.signing_in.set_password(link.token, CHOSEN)
    session = await resources.signing_in.sign_in(BEN, CHOSEN, "here")
    link = await resources.desk.password_link(admin, (await ben(resources)).user_id)
    assert await resources.signing_in.visitor(session)
    await resources.signing_in.set_password(link.token, "another long password")
    assert await resources.signing_in.visitor(session) is None
    with pytest.raises(Unauthorized):
        await resources.signing_in.sign_in(BEN, CHOSEN, "here")
    assert await resources.signing_in.sign_in(BEN, "another long password", "here")


async def test_who_is_shut_out_has_no_link_any_more_and_gets_none(
    resources: Resources, admin: User, link: Link
) -> None:
    user_id = (await ben(resources)).user_id
    await resources.desk.change(admin, user_id, Role.VIEWER, disabled=True)
    with pytest.raises(Conflict):
        await resources.desk.password_link(admin, user_id)
    await resources.desk.change(admin, user_id, Role.VIEWER, disabled=False)
    with pytest.raises(Gone):
        await resources.signing_in.set_password(link.token, CHOSEN)


async def test_a_password_set_in_another_way_takes_the_link_back(resources: Resources, link: Link) -> None:
    await resources.desk.new_password_for(BEN)
    with pytest.raises(Gone):
        await resources.signing_in.set_password(link.token, CHOSEN)


async def test_a_link_is_stored_as_its_hash_and_told_in_no_journal(resources: Resources, link: Link) -> None:
    async with resources.desk.database.read() as tx:
        kept = await tx.all("select token_hash from password_links")
    assert len(kept) == 1
    assert link.token.encode() not in bytes(kept[0]["token_hash"])
    assert link.token not in repr(link)
    assert not any(link.token in repr(entry) for entry in await resources.desk.journal())


async def test_a_link_that_is_none_is_refused_without_a_form(browser: httpx.AsyncClient, resources: Resources) -> None:
    for made_up in ("", "x", "x" * 3000):
        answer = await browser.get(SET_PATH, params={"link": made_up})
        assert answer.status_code == 410
        assert not re.search("<form", answer.text)

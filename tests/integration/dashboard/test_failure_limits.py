"""The limits on failed sign-ins: they slow down guessing, and lock nobody out of their own name."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from services.dashboard.gateways.passwords import Passwords
from services.dashboard.handlers.signing_in import BY_ADDRESS, BY_NAME, SigningIn, hash_of
from services.dashboard.store import tries
from services.dashboard.web.forms import DEVICE
from services.dashboard.web.resources import Resources
from shared.errors import TooMany, Unauthorized
from tests.integration.dashboard.test_login import browser, password, sign_in
from tests.support.clock import FrozenClock

__all__ = ["browser", "password"]
HOME, ATTACKER = "192.0.2.7", "203.0.113.66"


async def guess(at: SigningIn, address: str = ATTACKER, name: str = "admin", device: str | None = None) -> None:
    """Try a wrong password."""
    await at.sign_in(name, "wrong", address, device=device)


async def fail(at: SigningIn, times: int, address: str = ATTACKER, device: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(Unauthorized):
            await guess(at, address, device=device)


async def failed_before(resources: Resources, who: str, times: int, clock: FrozenClock) -> None:
    """Store so many failures, made by others."""
    async with resources.desk.database.write() as tx:
        await tries.lock_tries(tx, [hash_of(who)], clock.now())
        await tries.set_tries(tx, {hash_of(who): [clock.now()] * times})


async def test_guessing_at_one_address_is_slowed_down_and_the_right_password_has_to_wait_there_too(
    browser: httpx.AsyncClient, clock: FrozenClock, password: str
) -> None:
    for _ in range(5):
        assert (await sign_in(browser, "wrong")).status_code == 401
    blocked = await sign_in(browser, password)
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    clock.advance(timedelta(minutes=16))
    assert (await sign_in(browser, password)).status_code == 303


async def test_who_guesses_at_one_address_locks_nobody_out_at_another(resources: Resources, password: str) -> None:
    await fail(resources.signing_in, 5)
    for _ in range(BY_NAME.limit):
        with pytest.raises(TooMany):
            await guess(resources.signing_in)
    assert await resources.signing_in.sign_in("admin", password, HOME)


async def test_guessing_from_many_addresses_is_slowed_down_and_a_device_that_is_known_goes_on(
    browser: httpx.AsyncClient, resources: Resources, clock: FrozenClock, password: str
) -> None:
    assert (await sign_in(browser, password)).status_code == 303
    del browser.cookies["tellback_session"]
    await failed_before(resources, "name admin", BY_NAME.limit, clock)
    await failed_before(resources, "address 127.0.0.1", BY_ADDRESS.limit, clock)
    with pytest.raises(TooMany):
        await resources.signing_in.sign_in("admin", password, "198.51.100.4")
    assert (await sign_in(browser, password)).status_code == 303, "they have signed in on this browser before"


async def test_a_known_device_has_a_brake_of_its_own(resources: Resources, clock: FrozenClock, password: str) -> None:
    await fail(resources.signing_in, 5, HOME, device="laptop")
    with pytest.raises(TooMany):
        await guess(resources.signing_in, HOME, device="laptop")
    assert await resources.signing_in.sign_in("admin", password, HOME), "without it, as from a new device"
    clock.advance(timedelta(minutes=16))
    assert await resources.signing_in.sign_in("admin", password, HOME, device="laptop")


@pytest.mark.parametrize("change", ["made up", "of another name", "altered"])
async def test_a_device_is_known_by_our_own_cookie_for_its_own_name_only(
    browser: httpx.AsyncClient, resources: Resources, clock: FrozenClock, password: str, change: str
) -> None:
    assert (await sign_in(browser, password)).status_code == 303
    known = browser.cookies[DEVICE]
    browser.cookies.clear()
    shown = {"made up": "laptop.0123", "of another name": known, "altered": f"x{known}"}[change]
    name = "other" if change == "of another name" else "admin"
    await failed_before(resources, f"name {name}", BY_NAME.limit, clock)
    browser.cookies.set(DEVICE, shown)
    assert (await sign_in(browser, "wrong", name)).status_code == 429


async def test_the_cookie_of_a_device_names_nobody_and_lasts_longer_than_the_browser(
    browser: httpx.AsyncClient, password: str
) -> None:
    answer = await sign_in(browser, password)
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(DEVICE))
    assert "admin" not in cookie
    assert "Max-Age=" in cookie
    assert "HttpOnly" in cookie


async def test_failures_are_counted_for_all_processes_and_forgotten_with_the_right_password(
    resources: Resources, clock: FrozenClock, password: str
) -> None:
    first, second = (SigningIn(resources.desk.database, clock, Passwords(), timedelta(hours=12)) for _ in range(2))
    for process in (first, second, first, second):
        await fail(process, 1, HOME)
    assert await first.sign_in("admin", password, HOME)
    errors = await asyncio.gather(*(guess(process, HOME) for process in (first, second) * 5), return_exceptions=True)
    assert sorted(type(error).__name__ for error in errors if error) == ["TooMany"] * 5 + ["Unauthorized"] * 5


async def test_an_address_from_which_many_names_are_tried_has_to_wait(
    resources: Resources, clock: FrozenClock, password: str
) -> None:
    await failed_before(resources, f"address {ATTACKER}", BY_ADDRESS.limit - 1, clock)
    with pytest.raises(Unauthorized):
        await guess(resources.signing_in, name="guess")
    with pytest.raises(TooMany):
        await resources.signing_in.sign_in("admin", password, ATTACKER)
    assert await resources.signing_in.sign_in("admin", password, HOME)


async def test_names_that_are_tried_while_an_address_has_to_wait_are_not_kept(
    resources: Resources, clock: FrozenClock, password: str
) -> None:
    await failed_before(resources, f"address {ATTACKER}", BY_ADDRESS.limit - 1, clock)
    for number in range(5):
        with pytest.raises((Unauthorized, TooMany)):
            await guess(resources.signing_in, name=f"guess {number}")
    async with resources.desk.database.read() as tx:
        kept = await tx.scalar("select count(*) from failed_tries")
    assert kept == 3, "the address, and the first name, alone and with the address"


async def test_failures_that_count_no_more_go_without_anybody_signing_in(
    browser: httpx.AsyncClient, resources: Resources, clock: FrozenClock
) -> None:
    for number in range(5):
        assert (await sign_in(browser, "wrong", f"nobody-{number}@tellback.example")).status_code == 401
    clock.advance(timedelta(minutes=16))
    assert (await sign_in(browser, "wrong", "another@tellback.example")).status_code == 401
    async with resources.desk.database.read() as tx:
        kept = await tx.scalar("select count(*) from failed_tries")
    assert kept == 3, "the address, and the last name, alone and with the address"


async def test_colleagues_behind_one_address_may_all_sign_in(
    resources: Resources, clock: FrozenClock, password: str
) -> None:
    await failed_before(resources, f"address {HOME}", BY_ADDRESS.limit - 1, clock)
    for _ in range(2):
        assert await resources.signing_in.sign_in("admin", password, HOME)

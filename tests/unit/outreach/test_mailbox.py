"""The mailbox of bounces: what is new is read once, in its order, and nothing is changed there."""

import asyncio

import pytest

from services.outreach.domain.mailbox import MailboxSettings, ReadUntil
from services.outreach.gateways.mailbox import AT_ONCE, fetch
from shared.errors import Unavailable
from tests.support.imap import PASSWORD, MailboxOfTests, mailbox


def settings_of(box: MailboxOfTests, password: str = PASSWORD) -> MailboxSettings:
    return MailboxSettings("127.0.0.1", box.port, "none", "bounces", password, 'In "box"')


async def test_what_is_new_is_read_in_its_order_and_nothing_is_changed() -> None:
    async with mailbox() as box:
        box.mails = {3: b"three", 4: b"four\r\n{4}\r\n"}
        found = await asyncio.to_thread(fetch, settings_of(box), None)
        assert found.mails == [(ReadUntil(1, 3), b"three"), (ReadUntil(1, 4), b"four\r\n{4}\r\n")]
        assert not found.more
        assert (await asyncio.to_thread(fetch, settings_of(box), ReadUntil(1, 4))).mails == []
        box.mails[9] = b"nine"
        found = await asyncio.to_thread(fetch, settings_of(box), ReadUntil(1, 4))
        assert found.mails == [(ReadUntil(1, 9), b"nine")]
        assert (box.fetched, box.changes) == ([3, 4, 9], [])


async def test_a_folder_that_was_numbered_anew_is_read_from_the_beginning() -> None:
    async with mailbox() as box:
        box.mails, box.validity = {1: b"one"}, 2
        assert (await asyncio.to_thread(fetch, settings_of(box), ReadUntil(1, 9))).mails == [(ReadUntil(2, 1), b"one")]


async def test_a_full_mailbox_is_read_in_parts_and_an_empty_one_is_none() -> None:
    async with mailbox() as box:
        assert (await asyncio.to_thread(fetch, settings_of(box), None)).mails == []
        box.mails = {uid: b"x" for uid in range(1, AT_ONCE + 2)}
        found = await asyncio.to_thread(fetch, settings_of(box), None)
        assert (len(found.mails), found.more) == (AT_ONCE, True)
        found = await asyncio.to_thread(fetch, settings_of(box), found.mails[-1][0])
        assert (len(found.mails), found.more) == (1, False)


async def test_a_mailbox_that_refuses_or_is_away_is_waited_for() -> None:
    async with mailbox() as box:
        with pytest.raises(Unavailable, match="wrong"):
            await asyncio.to_thread(fetch, settings_of(box, "another"), None)
        settings = settings_of(box)
    with pytest.raises(Unavailable):
        await asyncio.to_thread(fetch, settings, None)
    assert PASSWORD not in repr(settings)

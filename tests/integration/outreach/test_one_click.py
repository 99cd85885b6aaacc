"""One click of a mail program, as it reads a mail that has gone through a real SMTP server."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.support.dkim_keys import made_pair, verifies
from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, person

HOST = f"{'h' * 52}.example"
"""60 characters: the line of its link is far longer than the 78 at which mail software folds."""


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Ann at Acme is asked by a programme of this week, which reminds after a week."""
    await running.emptied()
    async with mailroom(running, public_url=f"https://{HOST}") as found:
        await found.survey()
        await running.take(account(name="Acmé Ltd"), person(name="Änn Lee"))
        await found.programme(reminders=[7])
        yield found


async def test_promise_8_one_click_works_from_the_raw_mail_and_the_signature_holds(room: Mailroom) -> None:
    room.sender._carrier.dkim, record = made_pair()
    await room.until(NOW + 2 * DAY)
    [content] = room.relay.contents
    assert verifies(content, record), "after its way through a server"
    signed = re.sub(rb"\s", b"", re.findall(rb"\bh=([^;]+);", content)[0]).lower().split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(signed)

    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    [link] = re.findall(r"^List-Unsubscribe: <(https://[!-~]+)>\r?$", head, re.MULTILINE)
    [body] = re.findall(r"^List-Unsubscribe-Post: (\S+)\r?$", head, re.MULTILINE)
    assert (len(HOST), urlsplit(link).hostname, body) == (60, HOST, "List-Unsubscribe=One-Click")

    form = {"content-type": "application/x-www-form-urlencoded", "authorization": ""}
    answer = await room.asking.client.post(urlsplit(link).path, content=body, headers=form)
    assert answer.status_code == 200, "no redirect, no cookie, no login"
    assert "set-cookie" not in answer.headers
    [objection] = await room.asking.rows("suppressions")
    assert objection["source"] == "one_click"
    await room.until(NOW + 20 * DAY)
    assert len(room.relay.contents) == 1, "nobody is reminded who has objected"

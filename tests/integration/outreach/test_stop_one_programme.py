"""The page behind the stop link of a mail narrows the objection to one programme: the others go on."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.support.mailing import Mailroom, mailroom
from tests.support.outreach import DAY, NOW, Asking, account, person

ANN = "ann@acme.example"
SURVEY = re.compile(r'name="survey" value="([^"]+)"')


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """A wave of this week to Ann and Bob at Acme, with a reminder after a week, sent and not yet reminded of."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"), person("bob"))
        await found.programme(reminders=[7])
        await found.until(NOW + 3 * DAY)
        yield found


def stop_path(room: Mailroom) -> str:
    """The stop link of the mail to Ann."""
    [mail] = [mail for mail in room.relay.mails if ANN in str(mail["To"])]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    return str(re.findall(r"https://[^/]+(/u/\S+)", text)[0])


async def pressed(room: Mailroom, path: str, action: str, survey: str) -> str:
    answer = await room.asking.client.post(path, data={"action": action, "survey": survey, "lang": "en"})
    assert answer.status_code == 200
    return answer.text


async def reminded(room: Mailroom) -> set[str]:
    """Who is mailed in the week after."""
    room.relay.recipients.clear()
    await room.until(NOW + 12 * DAY)
    return set(room.relay.recipients)


async def test_c30_the_page_narrows_the_objection_to_one_programme(room: Mailroom) -> None:
    path = stop_path(room)
    [programme_id] = SURVEY.findall((await room.asking.client.get(path)).text)
    page = await pressed(room, path, "stop_survey", programme_id)
    assert "Done. You will get no more mails about the survey of" in page
    assert 'value="resume_survey"' in page
    assert 'value="stop"' in page, "all can be stopped still"
    assert await room.asking.rows("suppressions") == []
    facts = [call["body"]["kind"] for call in await room.asking.rows("outgoing")]
    assert "unsubscribed" not in facts, "others may go on mailing"
    assert await reminded(room) == {"bob@acme.example"}
    assert await room.asking.reason("ann", survey_id="srv_mail", override_quarantine="x") is None, (
        "asked by hand she is"
    )


async def test_c30_another_programme_goes_on(room: Mailroom) -> None:
    path = stop_path(room)
    [programme_id] = SURVEY.findall((await room.asking.client.get(path)).text)
    await pressed(room, path, "stop_survey", programme_id)
    room.asking.clock.advance(98 * DAY)
    other = await room.programme(started=False)
    assert (await room.call("POST", f"/{other}/dry-run"))["would_ask"] == 2
    [row] = await room.asking.rows("programme_objections")
    assert row["programme_id"] == programme_id


async def test_c30_narrowing_is_taken_back(room: Mailroom) -> None:
    path = stop_path(room)
    [programme_id] = SURVEY.findall((await room.asking.client.get(path)).text)
    await pressed(room, path, "stop_survey", programme_id)
    assert 'value="stop_survey"' in await pressed(room, path, "resume_survey", programme_id)
    assert await reminded(room) == {ANN, "bob@acme.example"}


async def test_a_programme_that_never_mailed_the_address_is_not_stopped(room: Mailroom) -> None:
    path = stop_path(room)
    other = await room.programme(started=False)
    for named in (other, "prg_unknown", ""):
        await pressed(room, path, "stop_survey", named)
    assert await room.asking.rows("programme_objections") == []


async def test_a_programme_that_has_ended_is_not_offered(room: Mailroom) -> None:
    path = stop_path(room)
    [programme_id] = SURVEY.findall((await room.asking.client.get(path)).text)
    await room.call("POST", f"/{programme_id}/end")
    assert SURVEY.findall((await room.asking.client.get(path)).text) == []

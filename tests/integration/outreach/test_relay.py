"""The relay, step by step: what each refusal means for the mail, and that one connection carries many mails."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.outreach.domain.relay import RelaySettings
from services.outreach.gateways.relay import Relay, Trouble
from shared.mail import Letter, Mailbox, message_of
from tests.support.relay import RelayOfTests, relay

SENDER, ANN, BOB = "b+abc@supplier.example", "ann@acme.example", "bob@acme.example"
CONTENT = message_of(
    Letter(Mailbox("lea@supplier.example"), Mailbox(ANN), "Hello", "Text\n", "<1@s.example>", datetime.now(UTC))
)


@pytest.fixture
async def house() -> AsyncIterator[RelayOfTests]:
    async with relay() as listening:
        yield listening


@pytest.fixture
async def sender(house: RelayOfTests) -> AsyncIterator[Relay]:
    ready = Relay(RelaySettings("127.0.0.1", house.port, "none"))
    yield ready
    await ready.close()


async def sent(sender: Relay, recipient: str = ANN) -> Trouble | None:
    return await sender.offer(SENDER, recipient) or await sender.give(CONTENT)


async def test_b1_one_connection_carries_many_mails_each_to_one_person_with_its_envelope_sender(
    house: RelayOfTests, sender: Relay
) -> None:
    assert [await sent(sender, to) for to in (ANN, BOB, ANN)] == [None, None, None]
    assert house.recipients == [ANN, BOB, ANN]
    assert house.senders == [SENDER] * 3
    assert house.connections == 1


async def test_s2_a_refused_recipient_is_final_and_the_next_one_is_served(house: RelayOfTests, sender: Relay) -> None:
    house.rcpt = {ANN: "550 5.1.1 no such user"}
    found = await sent(sender)
    assert found == Trouble("recipient", "550 5.1.1 no such user")
    assert await sent(sender, BOB) is None
    assert house.recipients == [BOB]
    assert house.connections == 1


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_s2_greylisting_is_later(house: RelayOfTests, sender: Relay, step: str) -> None:
    house.mail = house.data = "250 OK"
    if step == "rcpt":
        house.rcpt = {"": "450 4.7.1 greylisted"}
    else:
        setattr(house, step, "450 4.7.1 greylisted")
    assert await sent(sender) == Trouble("later", "450 4.7.1 greylisted")
    house.mail, house.rcpt, house.data = "250 OK", {}, "250 OK"
    assert await sent(sender) is None
    assert len(house.contents) == 1


@pytest.mark.parametrize("step", ["mail", "data"])
async def test_s2_a_refused_sender_or_content_is_no_fault_of_the_person(
    house: RelayOfTests, sender: Relay, step: str
) -> None:
    setattr(house, step, "550 5.7.26 unauthenticated mail")
    assert await sent(sender) == Trouble("policy", "550 5.7.26 unauthenticated mail")


async def test_s2_421_is_away_and_the_next_mail_opens_a_connection(house: RelayOfTests, sender: Relay) -> None:
    house.mail = "421 4.3.2 too many"
    found = await sent(sender)
    assert found is not None
    assert found.kind == "away"
    house.mail = "250 OK"
    assert await sent(sender) is None
    assert house.connections == 2


async def test_c23_without_an_answer_after_data_the_outcome_is_unknown(house: RelayOfTests, sender: Relay) -> None:
    house.hang_up_after_data = True
    found = await sent(sender)
    assert found is not None
    assert found.kind == "unknown"
    assert len(house.contents) == 1
    house.hang_up_after_data = False
    assert await sent(sender, BOB) is None


async def test_a_relay_that_does_not_listen_is_away() -> None:
    async with relay() as house:
        port = house.port
    found = await sent(Relay(RelaySettings("127.0.0.1", port, "none")))
    assert found is not None
    assert found.kind == "away"


async def test_tls_is_required_unless_it_is_switched_off(house: RelayOfTests) -> None:
    found = await sent(Relay(RelaySettings("127.0.0.1", house.port)))
    assert found is not None
    assert found.kind in ("away", "policy")
    assert house.contents == []


@pytest.mark.parametrize("supported", [True, False])
async def test_h5_an_address_in_another_script_goes_where_the_relay_takes_it(supported: bool) -> None:
    async with relay(RelayOfTests(smtputf8=supported)) as house:
        sender = Relay(RelaySettings("127.0.0.1", house.port, "none"))
        assert await sender.supports_smtputf8() is supported
        if supported:
            assert await sent(sender, "jörg@acme.example") is None
            assert house.recipients == ["jörg@acme.example"]
        await sender.close()

"""The way to the relay, whatever is carried: offered, begun, given; at so many a minute, and none while it is away."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.outreach.domain.relay import DkimKey, RelaySettings
from services.outreach.gateways.relay import Relay, Trouble
from services.outreach.jobs.carrier import Carrier, DomainRates
from shared.errors import Unavailable
from shared.mail import Letter, Mailbox
from tests.support.relay import RelayOfTests, relay

SENDER = Mailbox("lea@supplier.example", "Lea")


@dataclass
class Parcel:
    """A mail that writes down what becomes of it. `goes`: what the second decision says."""

    email: str = "ann@acme.example"
    goes: bool = True
    envelope_sender: str = "b@supplier.example"
    mail_id: UUID = field(default_factory=uuid4)
    happened: list[str] = field(default_factory=list)

    def letter(self) -> Letter:
        return Letter(SENDER, Mailbox(self.email), "Hello", "Text", "<1@x.example>", datetime(2026, 6, 9, tzinfo=UTC))

    async def begin(self) -> bool:
        self.happened.append("begin")
        return self.goes

    async def taken(self, *, confirmed: bool) -> None:
        self.happened.append(f"taken {confirmed}")

    async def troubled(self, trouble: Trouble) -> None:
        self.happened.append(trouble.kind)


@pytest.fixture
async def house() -> AsyncIterator[RelayOfTests]:
    async with relay() as found:
        yield found


@pytest.fixture
async def carrier(house: RelayOfTests) -> AsyncIterator[Carrier]:
    found = Carrier(Relay(RelaySettings("127.0.0.1", house.port, "none")), None, 2)
    yield found
    await found.relay.quit()


async def test_c23_a_mail_is_begun_after_the_relay_has_said_that_it_takes_it(
    carrier: Carrier, house: RelayOfTests
) -> None:
    parcel = Parcel()
    assert await carrier.carry(parcel)
    assert parcel.happened == ["begin", "taken True"]
    assert house.senders == ["b@supplier.example"]
    refused = Parcel("bob@acme.example")
    house.rcpt = {"bob@acme.example": "550 5.1.1 nobody"}
    assert not await carrier.carry(refused)
    assert refused.happened == ["recipient"], "it never began"


async def test_a_mail_that_does_not_go_any_more_leaves_nothing_at_the_relay(
    carrier: Carrier, house: RelayOfTests
) -> None:
    assert not await carrier.carry(Parcel("old@acme.example", goes=False))
    assert await carrier.carry(Parcel())
    assert house.recipients == ["ann@acme.example"]
    assert house.connections == 1, "over one connection"


async def test_a_mail_that_could_not_be_begun_leaves_nothing_at_the_relay_either(
    carrier: Carrier, house: RelayOfTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> bool:
        raise Unavailable("database_unavailable", "PostgreSQL is away")

    broken, parcel = Parcel("old@acme.example"), Parcel()
    monkeypatch.setattr(broken, "begin", away)
    with pytest.raises(Unavailable):
        await carrier.carry(broken)
    assert await carrier.carry(parcel)
    assert (parcel.happened, house.recipients) == (["begin", "taken True"], ["ann@acme.example"])


async def test_an_answer_that_does_not_come_is_no_trouble_but_unconfirmed(
    carrier: Carrier, house: RelayOfTests
) -> None:
    house.hang_up_after_data = True
    parcel = Parcel()
    assert await carrier.carry(parcel)
    assert parcel.happened == ["begin", "taken False"]


@pytest.mark.parametrize("email", ["nobody", "ann@", "@acme.example"])
async def test_an_address_that_is_none_is_the_recipients_trouble(carrier: Carrier, email: str) -> None:
    parcel = Parcel(email)
    assert not await carrier.carry(parcel)
    assert parcel.happened == ["recipient"]


async def test_a_key_that_does_not_sign_is_nobodys_trouble(carrier: Carrier) -> None:
    carrier.dkim = DkimKey("supplier.example", "t1", b"no key")
    parcel = Parcel()
    assert not await carrier.carry(parcel)
    assert parcel.happened == ["policy"]


async def test_a_relay_that_is_away_is_left_alone_and_remarked_until_it_takes_a_mail(
    carrier: Carrier, house: RelayOfTests
) -> None:
    house.mail = "421 4.3.2 closing"
    parcel = Parcel()
    assert not await carrier.carry(parcel)
    assert parcel.happened == ["away"]
    states = [(carrier.is_away, carrier.remark is not None)]
    house.mail = "250 OK"
    assert await carrier.carry(Parcel())
    states.append((carrier.is_away, carrier.remark is not None))
    assert states == [(True, True), (False, False)]


async def test_so_many_a_minute_go_to_one_domain(carrier: Carrier) -> None:
    for name in ("ann", "bob"):
        assert carrier.allows(f"{name}@acme.example")
        assert await carrier.carry(Parcel(f"{name}@acme.example"))
    assert not carrier.allows("cem@ACME.example")
    assert carrier.allows("zoe@bolt.example")


def test_a_rate_counts_what_has_gone_and_nothing_else() -> None:
    rates = DomainRates(1)
    assert rates.allows("ann@acme.example")
    assert rates.allows("ann@acme.example"), "asking is not sending"
    rates.count("ann@acme.example")
    assert not rates.allows("bob@acme.example")

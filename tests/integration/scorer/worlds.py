"""Random worlds: a few accounts and people, many ties, answers on the borders of windows, everything half filled in.

A world and the question put to it follow from one number, which hypothesis draws and reports when a test fails.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.integration.scorer.reading import NOW, Reader, insert
from tests.integration.scorer.writing import Writer
from tests.support.examples import examples
from tests.support.reference import questions as reference
from tests.support.reference.world import Client, Entry, Invite, Person, Submission, World

ACCOUNTS = ("acme", "Bolt", "çelik", "delta")
PEOPLE = ("ada", "Ben", "zoë")
DAYS = (-2, 0, 1, 6, 7, 10, 29, 30, 45, 60, 90, 120, 180, 364, 365, 400)
MICROSECONDS = (-1, 0, 1, 7_200_000_000)
WINDOWS = ("7d", "30d", "90d", "180d", "365d", "all", "1d", "45d", "1100d")
OWNERS = ("kim@supplier.example", "lee@supplier.example")
SURVEY_TYPES = ("nps", "nps", "csat", "ces")
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
CHOICES: dict[str, tuple[str, ...]] = {
    "nps_kind": ("relationship", "transactional", "project"),
    "touchpoint": ("support",),
    "product": ("tracking",),
    "channel": ("email", "web"),
    "survey_id": ("q4",),
    "stakeholder_type": ("decision_maker", "user", "influencer"),
    "industry": ("logistics", "saas"),
    "tier": ("key", "premium"),
    "region": ("EMEA", "APAC"),
    "owner": OWNERS,
}
"""The values that there are of everything one may filter by."""

_ACME = Client("acme", "Acme", "logistics", "key", "EMEA", "kim@supplier.example", Decimal("250000.50"), "EUR")
WORLD = World(
    clients=(
        _ACME,
        Client("bolt", "Bolt 100%", "saas", "small", "APAC", "lee@supplier.example", Decimal(90_000), "USD"),
        Client("cargo", "Cargo_One", removed=True),
        Client("delta", None),
    ),
    people=(
        Person("acme", "ada", "decision_maker"),
        Person("acme", "ben", "user"),
        Person("acme", "cat", "user"),
        Person("acme", "gone", removed=True),
    ),
    submissions=(
        Submission("r1", "acme", "ada", "nps", 9, NOW - timedelta(days=100)),
        Submission("r2", "acme", "ada", "nps", 6, NOW - timedelta(days=3), comment="late", invitation_id="i1"),
        Submission("r3", "acme", "ben", "nps", 10, NOW - timedelta(days=40)),
        Submission("r4", "acme", "ben", "nps", 9, NOW - timedelta(days=4)),
        Submission("r5", "acme", "dan", "nps", 0, NOW - timedelta(days=5), test=True),
        Submission("r6", "acme", "ben", "csat", 2, NOW - timedelta(days=2), entries=(Entry("q", "ces", 7),)),
        Submission("r7", "cargo", "eve", "nps", 8, NOW - timedelta(days=1)),
    ),
    invites=(
        Invite("i1", "acme", "ada", NOW - timedelta(days=6), NOW - timedelta(days=6), NOW - timedelta(days=5)),
        Invite("i2", "acme", "cat", NOW - timedelta(days=6), bounced_at=NOW - timedelta(days=6)),
        Invite("i3", "bolt", "zed", NOW - timedelta(days=30)),
    ),
)
"""A small world by hand, for tests by example."""

seeds = st.integers(0, 10**12)
exactly = settings(max_examples=examples(60), deadline=None)


def moment(random: Random) -> datetime:
    """A moment on or beside the border of some window."""
    return NOW - timedelta(days=random.choice(DAYS)) + timedelta(microseconds=random.choice(MICROSECONDS))


def question(random: Random, **parts: tuple[str, ...]) -> dict[str, Any]:
    """Query parameters: window, as_of (None = not sent), one value of each part, and up to two filters."""
    asked: dict[str, Any] = {"window": random.choice(WINDOWS), "as_of": random.choice((None, moment(random)))}
    asked |= {name: random.choice(values) for name, values in parts.items()}
    names = random.sample(sorted(CHOICES), random.choice((0, 0, 1, 1, 2)))
    return asked | {name: random.choice(CHOICES[name]) for name in names}


def at(asked: dict[str, Any]) -> dict[str, Any]:
    """The question with the moment it is looked at from."""
    return asked | {"as_of": asked["as_of"] or NOW}


def people(expected: dict[str, Any], actual: dict[str, Any]) -> dict[str, Any]:
    """The expected figures with the coverage of people as the API shows it."""
    known, asked = expected.pop("people")
    coverage = {"known": known, "asked": asked, "answered": actual["stakeholder_count"]}
    return expected | {"coverage": coverage}


def classes(world: World, as_of: datetime) -> Mapping[str, str]:
    """account_id → class."""
    return {account: reference.account_class(world, account, as_of) for account in world.account_ids()}


def a_world(random: Random) -> World:
    """A world of up to 40 submissions."""
    ids = [f"r{letter}{number}" for letter in "aZéb_" for number in range(8)]
    random.shuffle(ids)
    people = [(account, person) for account in ACCOUNTS for person in PEOPLE]
    invited = {
        (random.choice(ACCOUNTS), random.choice(("i1", "i2")), random.choice(PEOPLE))
        for _ in range(random.randrange(12))
    }
    return World(
        clients=tuple(_client(random, account) for account in ACCOUNTS if random.random() < 0.8),
        people=tuple(_person(random, *key) for key in people if random.random() < 0.7),
        submissions=tuple(_submission(random, response_id) for response_id in ids[: random.randrange(len(ids) + 1)]),
        invites=tuple(_invite(random, *key) for key in sorted(invited)),
    )


def _maybe(random: Random, name: str) -> str | None:
    return random.choice((None, *CHOICES[name]))


def _client(random: Random, account_id: str) -> Client:
    return Client(
        account_id=account_id,
        name=random.choice((None, account_id.upper())),
        industry=_maybe(random, "industry"),
        tier=_maybe(random, "tier"),
        region=_maybe(random, "region"),
        owner=_maybe(random, "owner"),
        revenue=random.choice((None, Decimal("0"), Decimal("0.10"), Decimal("250000"), Decimal("33333.33"))),
        currency=random.choice(("EUR", "EUR", "USD")),
        removed=random.random() < 0.2,
        renewal_on=random.choice((None, date(2026, 6, 30), date(2026, 7, 1), date(2027, 1, 1))),
    )


def _person(random: Random, account_id: str, stakeholder_id: str) -> Person:
    return Person(
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        type=_maybe(random, "stakeholder_type"),
        job_level=random.choice((None, "c_level", "manager")),
        removed=random.random() < 0.2,
    )


def _submission(random: Random, response_id: str) -> Submission:
    survey_type = random.choice(("nps", "nps", "nps", "csat", "ces"))
    return Submission(
        response_id=response_id,
        account_id=random.choice(ACCOUNTS),
        stakeholder_id=random.choice(PEOPLE),
        survey_type=survey_type,
        score=random.randint(*SCALES[survey_type]),
        answered_at=moment(random),
        nps_kind=random.choice(CHOICES["nps_kind"]),
        touchpoint=_maybe(random, "touchpoint"),
        product=_maybe(random, "product"),
        channel=_maybe(random, "channel"),
        survey_id=_maybe(random, "survey_id"),
        invitation_id=random.choice((None, "i1", "i2")),
        comment=random.choice((None, "", "  ", "late again")),
        follow_up_requested=random.random() < 0.3,
        test=random.random() < 0.1,
        withdrawn=random.random() < 0.1,
        erased=random.random() < 0.05,
        entries=_entries(random, survey_type),
    )


def _entries(random: Random, survey_type: str) -> tuple[Entry, ...]:
    kinds = [name for name in ("csat", "ces", "rating") if name != survey_type]
    names = random.sample(("q1", "Q2", "q3"), random.randrange(3))
    scales = SCALES | {"rating": (0, 10)}
    return tuple(
        Entry(name, kind, random.randint(*scales[kind]), random.choice((None, "trust")))
        for name in names
        for kind in [random.choice(kinds)]
    )


def _invite(random: Random, account_id: str, invitation_id: str, stakeholder_id: str) -> Invite:
    return Invite(
        invitation_id=invitation_id,
        account_id=account_id,
        stakeholder_id=stakeholder_id,
        sent_at=random.choice((None, moment(random), moment(random))),
        delivered_at=random.choice((None, moment(random))),
        opened_at=random.choice((None, moment(random))),
        bounced_at=random.choice((None, None, moment(random))),
        started_at=random.choice((None, moment(random))),
        survey_id=_maybe(random, "survey_id"),
        channel=_maybe(random, "channel"),
        withdrawn_at=random.choice((None, None, moment(random))),
    )


async def begin(reader: Reader, rows: Writer, world: World) -> None:
    """Nothing but this world, at `NOW`, with everything projected."""
    reader.clock.advance(NOW - reader.clock.now())
    await reader.put(world)
    await rows.project()


async def disturb(reader: Reader, random: Random, world: World) -> None:
    """Let time go on, and let more answers come that nobody has projected."""
    reader.clock.advance(timedelta(days=random.choice(DAYS[2:]), microseconds=random.choice(MICROSECONDS)))
    known = {submission.response_id for submission in world.submissions}
    late = tuple(submission for submission in a_world(random).submissions if submission.response_id not in known)
    await insert(reader.tables, World(submissions=late))
    await reader.tables.executemany(
        "insert into dirty_accounts (account_id, dirty_since) values ($1, $2) on conflict do nothing",
        [(account_id, NOW) for account_id in {submission.account_id for submission in late}],
    )

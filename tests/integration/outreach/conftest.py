"""Outreach in the test's process, with a clock that the test moves; one for a module, emptied between tests."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.support.clock import FrozenClock
from tests.support.environment import Environment
from tests.support.mailing import Mailroom, mailroom, with_relay
from tests.support.outreach import Asking, account, asking, person
from tests.support.respondents import Respondents, respondents

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""A Tuesday."""


@pytest.fixture(scope="module")
def module_clock() -> FrozenClock:
    """The clock of the module's outreach."""
    return FrozenClock(NOW)


@pytest.fixture(scope="module")
async def module_site(module_database_only: Environment, module_clock: FrozenClock) -> AsyncIterator[Respondents]:
    """The pages with the relationship survey; nobody takes what they tell."""
    async with respondents(module_database_only, module_clock) as found:
        yield found


@pytest.fixture
def clock(module_clock: FrozenClock) -> FrozenClock:
    """The clock, back at the beginning."""
    module_clock.advance(NOW - module_clock.now())
    return module_clock


@pytest.fixture
async def site(module_site: Respondents, clock: FrozenClock) -> AsyncIterator[Respondents]:
    """The pages, without asks at the beginning."""
    yield module_site
    await module_site.forget()


@pytest.fixture(scope="module")
async def running_desk(module_database_only: Environment) -> AsyncIterator[Asking]:
    """Outreach on a database of the module's own; the log is not read."""
    async with asking(module_database_only) as found:
        yield found


@pytest.fixture
async def desk(running_desk: Asking) -> Asking:
    """Outreach with nothing but one published survey, of relationship."""
    await running_desk.emptied()
    await running_desk.survey()
    return running_desk


@pytest.fixture(scope="module")
def running(running_desk: Asking) -> Asking:
    """Outreach that a relay is named to, for mails of programmes."""
    with_relay(running_desk)
    return running_desk


@pytest.fixture
async def room(running: Asking) -> AsyncIterator[Mailroom]:
    """Nothing but a survey, and Ann, a user, and Dora, a decision-maker, at Acme."""
    await running.emptied()
    async with mailroom(running) as found:
        await found.survey()
        await running.survey("srv_other", nps_kind="transactional")
        await running.take(account(name="Acme Ltd"), person(name="Ann Lee"), person("dora", type="decision_maker"))
        yield found

"""Outreach in the test's process: one for the tests of a module, emptied before each."""

from collections.abc import AsyncIterator

import pytest

from tests.support.environment import Environment
from tests.support.outreach import Asking, asking


@pytest.fixture(scope="module")
async def running_desk(module_database_only: Environment) -> AsyncIterator[Asking]:
    """Outreach on a database of the module's own; the log is not read."""
    async with asking(module_database_only) as found:
        yield found


@pytest.fixture
async def desk(running_desk: Asking) -> Asking:
    """The same with nothing but one published survey, of relationship."""
    await running_desk.emptied()
    await running_desk.survey()
    return running_desk

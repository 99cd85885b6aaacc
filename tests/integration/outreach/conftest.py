"""Outreach in the test's process."""

from collections.abc import AsyncIterator

import pytest

from tests.support.environment import Environment
from tests.support.outreach import Asking, asking


@pytest.fixture
async def desk(database_only: Environment) -> AsyncIterator[Asking]:
    """Outreach on an empty database, with one survey, and `ann` and `bob` at `acme`; the log is not read."""
    async with asking(database_only) as found:
        await found.survey()
        yield found

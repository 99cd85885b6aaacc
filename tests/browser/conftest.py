"""One Chromium for the run."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.support.browser import chromium


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser; contexts and pages are the tests' own."""
    async with chromium() as started:
        yield started

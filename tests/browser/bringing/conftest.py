"""An installation that knows nothing yet, for the tests of how answers come in through the pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from shared.kafka.connection import KafkaConnection
from tests.browser.dashboard.site import Site, page_of_admin, site
from tests.support.environment import Environment, fresh_environment


@pytest.fixture(scope="module")
async def fresh_module_environment(kafka: KafkaConnection, postgres_url: str) -> AsyncIterator[Environment]:
    async with fresh_environment(kafka, postgres_url) as fresh:
        yield fresh


@pytest.fixture(scope="module")
async def where(fresh_module_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder: Path = tmp_path_factory.mktemp("empty")
    async with site(fresh_module_environment, folder, demo=False) as running:
        yield running


@pytest.fixture
async def page(browser: Browser, where: Site) -> AsyncIterator[Page]:
    async with page_of_admin(browser, where) as page:
        yield page

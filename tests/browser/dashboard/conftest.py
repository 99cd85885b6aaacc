"""One installation with demo data for all tests of the dashboard in a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from shared.kafka.connection import KafkaConnection
from tests.browser.dashboard.site import Site, page_of_admin, site
from tests.support.environment import Environment, fresh_environment


@pytest.fixture(scope="package")
async def package_environment(kafka: KafkaConnection, postgres_url: str) -> AsyncIterator[Environment]:
    async with fresh_environment(kafka, postgres_url) as fresh:
        yield fresh


@pytest.fixture(scope="package")
async def where(package_environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    async with site(package_environment, folder) as running:
        yield running


@pytest.fixture
async def page(browser: Browser, where: Site) -> AsyncIterator[Page]:
    async with page_of_admin(browser, where) as page:
        yield page

"""The page of the API documentation loads nothing from other hosts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.http.app import create_app
from tests.support.http import running


@asynccontextmanager
async def nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


async def test_the_page_and_its_assets_come_from_the_service() -> None:
    async with running(create_app("collector", "Title", "", [], nothing)) as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(links) == 3
        assert all(link.startswith("/") and not link.startswith("//") for link in links)
        assert "//" not in re.sub(r"<!--.*?-->", "", page.text).replace("https://fastapi", "")
        for link in links:
            asset = await client.get(link)
            assert asset.status_code == 200
            assert len(asset.content) > 100

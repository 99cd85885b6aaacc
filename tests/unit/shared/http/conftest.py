"""The edge test service, with a key of all scopes."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from shared.access.caller import SCOPES, Caller
from tests.support.edge import Keys, edge_app
from tests.support.http import bearer, running


@pytest.fixture
def keys() -> Keys:
    """A key store that knows `all` (every scope), `reader` and `nothing`."""
    return Keys(
        {
            "all": Caller("allallallall", frozenset(SCOPES), name="all"),
            "reader": Caller("readerreader", frozenset({"read"})),
            "nothing": Caller("nothingatall", frozenset()),
        }
    )


@pytest.fixture
def app(keys: Keys) -> FastAPI:
    """The service."""
    return edge_app(keys)


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with running(app) as client:
        yield client


@pytest.fixture
def client(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """The client with a key of all scopes."""
    anonymous.headers.update(bearer("all"))
    return anonymous

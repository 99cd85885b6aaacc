"""Sends one post by the fast lane and by the route, and compares the answers."""

from typing import Any

import httpx

from shared.http.app import ServiceApp

JSON = {"content-type": "application/json"}
VOLATILE = {"event_id", "request_id", "instance", "x-request-id", "date", "content-length"}


def stable(answer: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers without the parts that differ in every answer."""
    body = {name: value for name, value in answer.json().items() if name not in VOLATILE}
    return answer.status_code, body, {k: v for k, v in answer.headers.items() if k not in VOLATILE}


async def both(
    client: httpx.AsyncClient, app: ServiceApp, path: str, body: bytes, headers: dict[str, str]
) -> tuple[httpx.Response, httpx.Response]:
    """The answers of the fast lane and of the route."""
    fast = await client.post(path, content=body, headers=headers)
    handlers, app.hot = app.hot, {}
    routed = await client.post(path, content=body, headers=headers)
    app.hot = handlers
    return fast, routed

"""The other services as the dashboard sees them: they make and revoke keys, and remember all requests."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.api.keys import NewKey


class FakeServices:
    """Answers over httpx's own transport."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {}
        self.asked: list[httpx.Request] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.away = False
        self.broken: set[str] = set()
        self.refused: dict[str, tuple[int, dict[str, Any]]] = {}
        self.remarks: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("nobody is there", request=request)
        if request.url.path == "/v1/keys" and request.method == "POST":
            made = json.loads(request.content)
            key_id = f"key{len(self.keys)}"
            self.keys[key_id] = made | {"live": True}
            return httpx.Response(201, json=_new_key(key_id, made))
        if request.url.path.startswith("/v1/keys/"):
            self.keys[request.url.path.rpartition("/")[2]]["live"] = False
            return httpx.Response(204)
        if request.url.path == "/health/ready":
            return httpx.Response(200, json={"status": "ready", "remarks": self.remarks})
        shown = request.headers["authorization"].removeprefix("Bearer tb_").removesuffix("_secret")
        if not self.keys.get(shown, {}).get("live"):
            return httpx.Response(401, json={"code": "unauthorized", "detail": "no valid key"})
        if request.url.path in self.broken:
            return httpx.Response(503, json={"code": "database_unavailable"})
        if request.url.path in self.refused:
            status, problem = self.refused[request.url.path]
            return httpx.Response(status, json=problem)
        return httpx.Response(200, json=self.answers.get(request.url.path, {"key": shown}))


def _new_key(key_id: str, wanted: dict[str, Any]) -> Any:
    made = NewKey(
        id=key_id,
        name=wanted["name"],
        scopes=wanted["scopes"],
        owner_email=wanted.get("owner_email"),
        publishable=False,
        origins=[],
        require_signature=False,
        rate_limit=None,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        expires_at=None,
        revoked_at=None,
        last_used_at=None,
        key=f"tb_{key_id}_secret",
    )
    return made.model_dump(mode="json")

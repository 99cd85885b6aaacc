"""While the disk is low nothing new is taken in: Kafka and PostgreSQL need what is left to go on at all."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.disk import DiskSpace
from shared.errors import Unavailable
from shared.http.edge import request_id_of
from shared.http.problem import problem_response

REFUSED = ("POST", "PUT", "PATCH")
"""DELETE goes on: erasures and withdrawals are owed, and make room."""
RETRY_AFTER_SECONDS = 60


class DiskLow:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what would be stored, and pass on everything else."""
        if scope["type"] == "http" and scope["method"] in REFUSED:
            disk: DiskSpace = scope["app"].state.service.disk
            if disk.low:
                await problem_response(_refusal(), request_id_of(scope))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal() -> Unavailable:
    return Unavailable(
        "disk_low",
        "the disk is nearly full, and nothing is taken in; send it again later",
        retry_after=RETRY_AFTER_SECONDS,
    )

"""The other services, called with outreach's own key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.outreach.settings import OutreachSettings
from shared.errors import TellbackError, Unavailable
from shared.http.client import ServiceName, Services
from shared.http.problem import of_status

_ARRAYS: Final[Mapping[tuple[ServiceName, str, str], tuple[str, str]]] = {
    ("collector", "POST", "/v1/invitation-events"): ("/v1/invitation-events", "events"),
    ("collector", "POST", "/v1/responses"): ("/v1/responses/batch", "responses"),
}
"""(service, method, path) of a call of which many may be made as one -> path of that one, and the name of its array.
Each of their bodies names what it tells of, so that it needs no Idempotency-Key."""


class NoKey(Unavailable):
    """Outreach has no key, so nothing can be told to anybody."""

    def __init__(self) -> None:
        super().__init__("no_api_key", "TELLBACK_OUTREACH_API_KEY is not set")


class OtherServices:
    """Makes the calls that outreach has queued."""

    def __init__(self, settings: OutreachSettings, services: Services) -> None:
        self._key = settings.api_key
        self._services = services

    @property
    def ready(self) -> bool:
        """Whether there is a key to call with."""
        return self._key is not None

    async def call(self, service: ServiceName, method: str, path: str, body: Mapping[str, Any], key: str) -> None:
        """Make one call. Returns once the service has taken it; raises `Away`, `NoKey`, or the service's error."""
        await self._services.send(service, method, path, self._secret(), json=body, headers={"idempotency-key": key})

    async def call_as_one(
        self, service: ServiceName, method: str, path: str, bodies: Sequence[Mapping[str, Any]]
    ) -> list[TellbackError | None]:
        """Make many calls at once, of a kind of which `are_one` is true. Returns for each the error that refuses it,
        None where it was taken; raises as `call` does where none was judged by itself."""
        together, name = _ARRAYS[service, method, path]
        answer = await self._services.send(service, method, together, self._secret(), json={name: list(bodies)})
        results = zip(answer.json()["results"], bodies, strict=True)
        return [_refusal(result.get("problem")) for result, _ in results]

    def _secret(self) -> str:
        if self._key is None:
            raise NoKey
        return self._key.get_secret_value()


def are_one(service: ServiceName, method: str, path: str) -> bool:
    """Whether many such calls may be made as one."""
    return (service, method, path) in _ARRAYS


def _refusal(problem: Mapping[str, Any] | None) -> TellbackError | None:
    """The error of one item of an array."""
    if problem is None:
        return None
    kind = type(of_status(problem["status"]))
    return kind(problem["code"], problem.get("detail", ""), errors=problem.get("errors"))

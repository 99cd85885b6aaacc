"""The other services, called with outreach's own key."""

from collections.abc import Mapping
from typing import Any

from services.outreach.settings import OutreachSettings
from shared.errors import Unavailable
from shared.http.client import ServiceName, Services


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
        if self._key is None:
            raise NoKey
        headers = {"idempotency-key": key}
        secret = self._key.get_secret_value()
        await self._services.send(service, method, path, secret, json=body, headers=headers)

"""Benchmark's public API: the review pack, asked with the caller's own key, so that it shows no more than the caller
may see."""

from shared.http.client import Api, Json, Services, within


class Benchmark:
    """Asks benchmark. Every call raises `Away`, or what the service said of the request."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def client_pack(self, key: str, account_id: str) -> Json:
        """The review pack of an account as a client may see it. Raises `NotFound`, also for one that is not the
        caller's."""
        path = within("/v1/reviews/accounts", account_id)
        return await Api(self._services, key).get("benchmark", path, audience="client")

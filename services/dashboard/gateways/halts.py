"""Whether a service has halted reading: asked of its health check, and shown on every page."""

import asyncio
import time

from shared.http.client import IN_WORDS, ServiceName, Services

READERS: tuple[ServiceName, ...] = ("scorer", "alerting", "benchmark")
STOPPED = (
    "has stopped reading what is new. What you see is from before, and nothing is lost;"
    " an admin learns the reason from `tellback status`."
)
FRESH_SECONDS = 5.0
PATIENCE_SECONDS = 0.5
"""How long a page waits for a health check; that a service does not answer is shown by the parts that need it."""


class Halts:
    """The notices above all pages; services are asked at most every 5 s, for all pages together."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lines: list[str] = []
        self._asked_at = -FRESH_SECONDS

    async def lines(self) -> list[str]:
        """One sentence for each service that has halted."""
        if time.monotonic() - self._asked_at >= FRESH_SECONDS:
            self._asked_at = time.monotonic()
            answers = await asyncio.gather(*(self._remarks(name) for name in READERS))
            self._lines = []
            for name, remarks in zip(READERS, answers, strict=True):
                if any(remark.startswith("halted") for remark in remarks):
                    self._lines.append(f"{IN_WORDS[name]} {STOPPED}")
        return self._lines

    async def _remarks(self, name: ServiceName) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._services.remarks(name)
        except TimeoutError:
            return []

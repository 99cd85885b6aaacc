"""Whether a service has halted reading, or sends no mail: asked of its health check, and shown on every page."""

import asyncio
import time

from shared.http.client import IN_WORDS, ServiceName, Services

READERS: tuple[ServiceName, ...] = ("scorer", "alerting", "benchmark")
STOPPED = (
    "has stopped reading what is new. What you see is from before, and nothing is lost;"
    " an admin learns the reason from `tellback status`."
)
PAUSED = "no mail is sent: "
SENDS_NOTHING = "No mail is sent to customers: {}. An admin lets them go again by `tellback resume-sending`."
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
        """One sentence for each service that has halted, and one if no mail is sent."""
        if time.monotonic() - self._asked_at >= FRESH_SECONDS:
            self._asked_at = time.monotonic()
            *answers, mails = await asyncio.gather(*map(self._remarks, (*READERS, "outreach")))
            self._lines = []
            for name, remarks in zip(READERS, answers, strict=True):
                if any(remark.startswith("halted") for remark in remarks):
                    self._lines.append(f"{IN_WORDS[name]} {STOPPED}")
            for remark in mails:
                if remark.startswith(PAUSED):
                    self._lines.append(SENDS_NOTHING.format(remark.removeprefix(PAUSED).partition(";")[0]))
        return self._lines

    async def _remarks(self, name: ServiceName) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._services.remarks(name)
        except TimeoutError:
            return []

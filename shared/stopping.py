"""How long each step of a service's stop may take, in seconds.

They follow each other, and what is not over in its time is given up: together they end a service, whatever hangs,
within the 20 s after which a supervisor kills it, and within the share of them that `tellback up` has for services.
That loses nothing: what was not committed is read or tried again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable

PAUSE = 2.0
"""From 'not ready' to the end of accepting, so that load balancers notice; `tellback up` has none."""
REQUESTS = 4
"""For requests in work."""
WEBHOOKS = 4.0
"""For webhooks being sent: of alerting alone."""
CONSUMERS = 2.0
"""For the batch in work, and for leaving the consumer group."""
TASKS = 2.0
PUBLISHER = 1.0
DATABASE = 1.0
LAST = 14.4
"""So long after the pause the process ends as it stands, and says where it was."""


async def within(seconds: float, step: Awaitable[object]) -> None:
    """Wait for a step of the stop, and give it up after so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(step, seconds)

"""The steps of a stop fit into the time that supervisors give, and one that hangs is given up."""

import asyncio

from services.alerting.courier.domain.deliveries import SendingRules
from services.cli.supervisor import GRACE_SECONDS
from services.cli.workers import KILL_AFTER_SECONDS
from shared import stopping


def test_all_steps_together_are_over_before_the_process_is_ended() -> None:
    steps = (
        stopping.PAUSE,
        stopping.REQUESTS,
        stopping.WEBHOOKS,
        stopping.CONSUMERS,
        stopping.TASKS,
        stopping.PUBLISHER,
        stopping.DATABASE,
    )
    assert sum(steps) < stopping.LAST < KILL_AFTER_SECONDS < GRACE_SECONDS <= 20
    assert SendingRules().stop_grace < stopping.WEBHOOKS


async def test_a_step_that_hangs_is_given_up() -> None:
    hangs = asyncio.create_task(asyncio.Event().wait())
    await stopping.within(0.01, hangs)
    assert hangs.cancelled()

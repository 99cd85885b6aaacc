"""The steps of a stop fit into the time that supervisors give, and one that hangs is given up."""

import asyncio

from services.alerting.courier.domain.deliveries import SendingRules
from services.cli import logs
from services.cli.supervisor import GRACE_SECONDS, KEPT_BACK
from services.cli.workers import KILL_AFTER_SECONDS
from shared import stopping


def test_all_steps_together_are_over_before_the_process_is_ended() -> None:
    steps = (
        stopping.REQUESTS,
        stopping.WEBHOOKS,
        stopping.CONSUMERS,
        stopping.TASKS,
        stopping.PUBLISHER,
        stopping.DATABASE,
    )
    assert sum(steps) < stopping.LAST < KILL_AFTER_SECONDS
    assert stopping.PAUSE + KILL_AFTER_SECONDS < 20
    assert SendingRules().stop_grace < stopping.WEBHOOKS


def test_up_has_ended_all_within_20_s_and_leaves_services_the_time_that_they_need() -> None:
    of_services = GRACE_SECONDS * (1 - KEPT_BACK)
    assert of_services > KILL_AFTER_SECONDS
    assert GRACE_SECONDS + logs.STOP_SECONDS < 20


async def test_a_step_that_hangs_is_given_up() -> None:
    hangs = asyncio.create_task(asyncio.Event().wait())
    await stopping.within(0.01, hangs)
    assert hangs.cancelled()

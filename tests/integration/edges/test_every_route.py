"""Whatever is sent to any route of any service gets an answer that is no failure of ours, and the service goes on."""

import pytest

from tests.integration.edges.house import House, fault_of, sent
from tests.support.http import bearer
from tests.support.installation import SERVICES
from tests.support.raw_calls import wired
from tests.support.strange import strange_calls

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
AT_ONCE = 4


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_that_is_sent_to_a_route_is_a_failure_of_ours(house: House, service: str) -> None:
    calls = [call for operation in house.operations[service] for call in strange_calls(operation, house.known)]
    async with wired(house.installation.url(service), bearer(house.installation.key), AT_ONCE) as wires:
        answers = await sent(wires, calls)
    wrong = [f"{call}: {fault}" for call, answer in answers if (fault := fault_of(answer))]
    assert wrong == [], f"{len(wrong)} of {len(calls)}"
    await house.installation.ready(service)

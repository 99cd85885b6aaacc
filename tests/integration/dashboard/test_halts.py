"""The notice above every page while a service has halted reading."""

from collections.abc import AsyncIterator

import pytest

from services.dashboard.gateways.halts import Halts
from shared.http.client import Services
from tests.integration.dashboard.fake_services import FakeServices

NAMES = ("scorer", "alerting", "benchmark", "outreach")


@pytest.fixture
def fakes() -> FakeServices:
    return FakeServices()


@pytest.fixture
async def halts(fakes: FakeServices) -> AsyncIterator[Halts]:
    services = Services(dict.fromkeys(NAMES, "http://services.test"), transport=fakes.transport)  # type: ignore[arg-type]
    yield Halts(services)
    await services.close()


async def test_a_service_that_has_halted_is_told_in_one_line(fakes: FakeServices, halts: Halts) -> None:
    fakes.remarks = ["halted: kafka_replaced: restore Kafka"]
    lines = await halts.lines()
    assert [line.split(" has stopped")[0] for line in lines] == [
        "The scorer",
        "The follow-up service",
        "The benchmark service",
    ]
    asked = len(fakes.asked)
    assert await halts.lines() == lines
    assert len(fakes.asked) == asked, "asked once for all pages of the next seconds"


@pytest.mark.parametrize("remarks", [[], ["kafka_unavailable"]])
async def test_a_service_that_reads_is_told_in_no_line(fakes: FakeServices, halts: Halts, remarks: list[str]) -> None:
    fakes.remarks = remarks
    assert await halts.lines() == []


async def test_a_service_that_is_away_is_told_by_the_parts_that_need_it(fakes: FakeServices, halts: Halts) -> None:
    fakes.away = True
    assert await halts.lines() == []


async def test_c24_that_no_mail_is_sent_is_told_with_the_reason(fakes: FakeServices, halts: Halts) -> None:
    fakes.remarks = ["no mail is sent: the database was put back from a copy; `tellback resume-sending` lets them go"]
    assert await halts.lines() == [
        "No mail is sent to customers: the database was put back from a copy."
        " An admin lets them go again by `tellback resume-sending`."
    ]

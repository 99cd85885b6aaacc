"""What an erasure took stays out, also what is still said about it in records that are read later or again."""

from datetime import timedelta

from tests.integration.alerting.cases import Case
from tests.integration.alerting.desk import Desk


async def rows(alerting: Desk, table: str) -> int:
    async with alerting.plumbing.database.read() as tx:
        return int(await tx.scalar(f"select count(*) from {table}"))  # noqa: S608


async def test_an_amendment_of_an_erased_answer_is_dropped_whenever_it_is_read(alerting: Desk, acme: Case) -> None:
    first, amended = acme.response("r1", comment="Jane says"), acme.amended("r1", comment="Jane insists")
    await alerting.emit(first, amended, acme.erased(alerting.environment))
    await alerting.emit(first, amended)
    await alerting.emit(acme.amended("r1", minutes=2, comment="Jane again"))
    assert (await rows(alerting, "responses"), await rows(alerting, "response_changes")) == (0, 0)


async def test_an_answer_read_after_its_erasure_takes_its_amendments_along(alerting: Desk, acme: Case) -> None:
    await alerting.emit(acme.amended("r1", comment="Jane insists"))
    assert await rows(alerting, "response_changes") == 1
    await alerting.emit(acme.erased(alerting.environment))
    await alerting.emit(acme.response("r1", comment="Jane says"), acme.withdrawn("r1"))
    assert (await rows(alerting, "responses"), await rows(alerting, "response_changes")) == (0, 0)


async def test_an_amendment_whose_answer_never_comes_goes_after_thirty_days(alerting: Desk, acme: Case) -> None:
    """It says no name, so that nobody knows whether an erasure means it. A withdrawal holds no words, and stays."""
    await alerting.emit(acme.response("r1"), acme.amended("r1", comment="fine"))
    await alerting.emit(acme.amended("r2", comment="Jane insists"), acme.withdrawn("r3"))
    assert await alerting.look("purge-early") == 0
    alerting.clock.advance(timedelta(days=31))
    assert await alerting.look("purge-early") == 1
    assert await rows(alerting, "response_changes") == 2

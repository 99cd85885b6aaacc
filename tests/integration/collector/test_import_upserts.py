"""Files that come again: which of them may change what is known, one after the other, and undone as a whole."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.collector.store import import_claims
from shared.db.engine import Database
from shared.events.envelope import Event
from shared.events.files import origin_in
from shared.events.responses import ImportUndone
from shared.topics import RESPONSES
from tests.integration.collector.conftest import Running
from tests.integration.collector.test_imports import finished
from tests.support.environment import Environment
from tests.support.events import NOW
from tests.support.polling import eventually
from tests.support.problems import assert_problem


def table(name: str, *scores: int) -> bytes:
    rows = "".join(f"{name},{name}-{number},ann,{score}\n" for number, score in enumerate(scores))
    return f"account_id,response_id,stakeholder_id,score\n{rows}".encode()


@pytest.fixture(scope="module")
def collector(shared_collector: Running) -> Running:
    return shared_collector


async def events_about(collector: Running, accounts: Sequence[str], count: int) -> list[Event]:
    """The events of these accounts, once there are so many."""

    async def there() -> list[Event]:
        found = [event for event in await collector.present(RESPONSES) if event.account_id in accounts]
        return found if len(found) >= count else []

    found = await eventually(there)
    assert len(found) == count
    return found


async def later(collector: Running, content: bytes, **form: Any) -> dict[str, Any]:
    """Import a file a minute after the one before."""
    collector.clock.advance(timedelta(minutes=1))
    return await finished(collector, content, **form)


async def test_each_row_says_of_which_line_of_which_file_it_is(collector: Running) -> None:
    job = await later(collector, table("lines", 1, 2), mode="overwrite")
    events = await events_about(collector, ["lines"], 2)
    [first, second] = [origin_in(event.file) or pytest.fail("no row") for event in events]
    assert (first.line, second.line, first.mode) == (2, 3, "overwrite")
    assert first.written_at.isoformat() == job["written_at"].replace("Z", "+00:00")


async def test_the_same_bytes_are_as_old_as_when_they_first_came(collector: Running) -> None:
    survey = {"columns": "survey_id==back"}
    first = await later(collector, table("back", 1), **survey)
    other = await later(collector, table("back", 2), **survey)
    again = await later(collector, table("back", 1), **survey)
    assert (first["mode"], other["mode"], again["mode"]) == ("upsert", "upsert", "only_new")
    assert (again["written_at"], again["older_than"]) == (first["written_at"], other["written_at"])


async def test_a_file_that_was_written_before_another_of_its_survey_changes_nothing(collector: Running) -> None:
    written_at = "2026-01-01T00:00:00Z"
    await later(collector, table("older", 1), columns="survey_id==s1")
    older = await later(collector, table("older", 2), columns="survey_id==s1", written_at=written_at)
    assert (older["mode"], older["written_at"]) == ("only_new", written_at)
    elsewhere = await later(collector, table("older", 3), columns="survey_id==s2", written_at=written_at)
    assert (elsewhere["mode"], elsewhere["older_than"]) == ("upsert", None)
    wanted = table("older", 4)
    forced = await later(collector, wanted, columns="survey_id==s1", written_at=written_at, mode="overwrite")
    assert forced["mode"] == "overwrite", "who wants to overwrite has been told"


async def test_files_of_answers_are_taken_one_at_a_time(database_only: Environment) -> None:
    database = Database(database_only.database_url, "collector", pool_size=1)

    async def claimed() -> Any:
        async with database.write() as tx:
            return await import_claims.claim(tx, uuid4(), NOW)

    try:
        async with database.write() as tx:
            for kind in ("responses", "responses", "accounts", "accounts"):
                await tx.execute(
                    "insert into imports (import_id, kind, file_rows, columns, time_zone, remarks, quiet, created_by,"
                    " created_at) values (:id, :kind, 1, '{}', 'UTC', '[]', true, 'test', :at)",
                    id=uuid4(),
                    kind=kind,
                    at=NOW,
                )
        first, second, third, none = [await claimed() for _ in range(4)]
        assert None not in (first, second, third)
        assert none is None, "a file of answers waits for the other one"
        async with database.write() as tx:
            kinds = await tx.column("select kind from imports where state = 'running' order by kind")
        assert kinds == ["accounts", "accounts", "responses"]
    finally:
        await database.close()


async def test_undoing_an_import_tells_every_account_after_its_rows(collector: Running) -> None:
    content = table("undo-a", 1, 2) + b"undo-b,undo-b-0,bob,3\n"
    job = await finished(collector, content)
    path = f"/v1/imports/{job['id']}/undo"
    looked = (await collector.client.post(path, params={"dry_run": True})).json()
    assert (looked["accounts"], looked["rows"], looked["undone_at"]) == (2, 3, None)
    first, again = [(await collector.client.post(path)).json() for _ in range(2)]
    assert first["undone_at"] == again["undone_at"] is not None
    events = await events_about(collector, ["undo-a", "undo-b"], 5)
    undone = [event.account_id for event in events if isinstance(event.data, ImportUndone)]
    assert sorted(undone) == ["undo-a", "undo-b"], "once each, however often it is asked for"
    names = [event.name for event in events if event.account_id == "undo-a"]
    assert names == ["response.recorded", "response.recorded", "import.undone"]


@pytest.mark.parametrize(("kind", "status", "code"), [("accounts", 409, "not_undoable"), (None, 404, "not_found")])
async def test_only_imports_of_answers_can_be_undone(
    collector: Running, kind: str | None, status: int, code: str
) -> None:
    import_id = str(uuid4())
    if kind is not None:
        import_id = (await finished(collector, b"account_id,name\nx,X\n", kind=kind))["id"]
    assert_problem(await collector.client.post(f"/v1/imports/{import_id}/undo"), status, code)


@pytest.mark.parametrize(
    ("other_day", "expected"), [("2026-05-06", [2, 9, 4]), ("2026-05-04", [4, 9, 2]), (None, [2, 9, 4])]
)
async def test_several_answers_of_a_person_on_a_day_are_in_the_order_of_the_file(
    collector: Running, other_day: str | None, expected: list[int]
) -> None:
    name = f"day-{other_day}"
    rows = [f"{name},p,{score},2026-05-05" for score in (2, 9, 4)] + [f"{name},other,5,{other_day or '2026-05-05'}"]
    await later(collector, ("account,person,score,date\n" + "\n".join(rows)).encode())
    found = [event.data for event in await events_about(collector, [name], 4)]
    answers = sorted(found, key=lambda data: data.answered_at)  # type: ignore[attr-defined]
    assert [data.score for data in answers if data.stakeholder_id == "p"] == expected  # type: ignore[attr-defined]
    assert len({data.response_id for data in answers}) == 4  # type: ignore[attr-defined]

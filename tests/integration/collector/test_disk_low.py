"""A disk that is nearly full: nothing is taken in before Kafka and PostgreSQL stop, and it goes on by itself. Kafka is
away, so what is taken is in the outbox."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.disk import DiskSpace
from tests.integration.collector.conftest import Running, started
from tests.support.disks import MEGABYTE, fill, small_disk
from tests.support.environment import Environment
from tests.support.polling import eventually
from tests.support.problems import assert_problem

RESPONSE: dict[str, Any] = {"account_id": "acme", "email": "ann@acme.example", "survey_type": "nps", "score": 9}
SIZE, MARK = 64, 32
"""Of the disk and its low-water mark, in megabytes."""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "data", SIZE) as folder:
        yield folder


@pytest.fixture
async def collector(data: Path, database_only: Environment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr("services.collector.app.LOOK_SECONDS", 0.05)
    monkeypatch.setenv("TELLBACK_COLLECTOR_DISK_FOLDERS", f"{database_only.common.data_dir},{data}")
    monkeypatch.setenv("TELLBACK_COLLECTOR_DISK_LOW_MEGABYTES", str(MARK))
    async with started(database_only) as found:
        yield found


async def takes(collector: Running, *, path: str = "/v1/responses") -> bool:
    return (await collector.client.post(path, json=RESPONSE)).status_code == 202


async def refuses(collector: Running) -> bool:
    return not await takes(collector)


async def test_below_the_mark_posts_are_refused_and_reads_and_health_stay(collector: Running, data: Path) -> None:
    assert await takes(collector)
    fill(data, SIZE - MARK + 4)
    await eventually(partial(refuses, collector))
    account = {"name": "Acme"}
    for refused in (
        await collector.client.post("/v1/responses", json=RESPONSE),
        await collector.client.post("/v1/responses/batch", json={"responses": [RESPONSE]}),
        await collector.client.post("/v1/context-events", json={}),
        await collector.client.put("/v1/accounts/acme", json=account),
    ):
        assert_problem(refused, 503, "disk_low")
        assert refused.headers["retry-after"] == "60"
    assert (await collector.client.get("/v1/imports")).status_code == 200
    assert (await collector.client.delete("/v1/accounts/acme/stakeholders/ann@acme.example/data")).status_code == 202
    ready = await collector.client.get("/health/ready")
    assert ready.status_code == 200
    [remark] = [remark for remark in ready.json()["remarks"] if "disk" in remark]
    assert f"disk_low: 28 MB are free at {data}" in remark
    metrics = dict(line.rsplit(" ", 1) for line in (await collector.client.get("/metrics")).text.splitlines())
    assert float(metrics["tellback_disk_free_bytes"]) == 28 * MEGABYTE
    assert float(metrics["tellback_disk_low"]) == 1


async def test_it_goes_on_by_itself_once_there_is_a_fifth_more(collector: Running, data: Path) -> None:
    large, small = fill(data, SIZE - MARK - 2), fill(data, 4)
    await eventually(partial(refuses, collector))
    small.unlink()  # 34 MB are free now: above the mark, and not enough above
    space = collector.app.state.service.disk
    await space.look()
    assert space.low
    assert not await takes(collector)
    large.unlink()
    await eventually(partial(takes, collector))
    assert not any("disk" in remark for remark in (await collector.client.get("/health/ready")).json()["remarks"])


async def test_an_import_waits_and_is_finished_afterwards(collector: Running, data: Path) -> None:
    content = b"account_id,email,survey_type,score\nacme,ann@acme.example,nps,9\n"
    full = fill(data, SIZE - MARK + 4)
    service = collector.app.state.service
    await service.disk.look()
    service.disk.low = False  # as when the file had come just before
    posted = await collector.client.post(
        "/v1/imports", data={"kind": "responses"}, files={"file": ("answers.csv", content)}
    )
    assert posted.status_code == 202, posted.text
    await service.disk.look()
    assert not await service.import_worker.work_once()
    full.unlink()
    await eventually(partial(_finished, collector, posted.json()["import_id"]), timeout=60)


async def _finished(collector: Running, import_id: str) -> bool:
    return bool((await collector.client.get(f"/v1/imports/{import_id}")).json()["state"] == "done")


async def test_a_mark_of_0_or_no_folder_switches_it_off(data: Path) -> None:
    fill(data, SIZE - 1)
    for space in (DiskSpace([data], 0), DiskSpace([], MARK * MEGABYTE)):
        await space.look()
        assert not space.low


async def test_without_a_small_disk_a_mark_above_what_is_free_refuses(
    database_only: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_COLLECTOR_DISK_LOW_MEGABYTES", str(10**9))
    async with started(database_only) as found:
        await eventually(partial(refuses, found))
        refused = await found.client.post("/v1/responses", json=RESPONSE)
        assert_problem(refused, 503, "disk_low")

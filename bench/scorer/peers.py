"""Other stream processors that fold the same topic with exactly-once effect: ids seen, counts by account and day, the
latest answer of each person. Each is left out, and named, where what it needs is not there."""

import json
import shutil
import subprocess
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared.kafka.connection import KafkaConnection

HERE = Path(__file__).parent
RUN_SECONDS = 1_800
BUILD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that is given a topic and a number of records, and prints {"rate": records a second} at its end."""

    name: str
    argv: Sequence[str]

    def run(self, topic: str, records: int) -> float:
        """Fold the first records of the topic; returns how many a second."""
        done = _outcome([*self.argv, topic, str(records)], RUN_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stderr[-2000:]}")
        return float(json.loads(done.stdout.splitlines()[-1])["rate"])


def peers(kafka: KafkaConnection, folder: Path, python: Path | None) -> Iterator[Peer]:
    """Those that can run here; the others are named on standard output."""
    for name, build in (
        ("Quix Streams, exactly-once", partial(_quix, kafka, folder, python)),
        ("Kafka Streams, exactly_once_v2, 2 threads", partial(_kafka_streams, kafka, folder)),
    ):
        try:
            yield Peer(name, build())
        except (OSError, subprocess.SubprocessError, LookupError) as error:
            print(f"left out: {name}: {error}", flush=True)


def _quix(kafka: KafkaConnection, folder: Path, python: Path | None) -> Sequence[str]:
    """quixstreams in an environment of its own, from the package index."""
    place = python or folder / "quix"
    interpreter = str(place / "bin" / "python")
    if python is None:
        venv.create(place, with_pip=True)
        _call(interpreter, "-m", "pip", "install", "--quiet", "quixstreams", "msgspec")
    _call(interpreter, "-c", "import quixstreams, msgspec")
    return interpreter, str(HERE / "quix_fold.py"), *_login(kafka), str(folder)


def _kafka_streams(kafka: KafkaConnection, folder: Path) -> Sequence[str]:
    """Kafka Streams, fetched by Maven and compiled here."""
    for tool in ("java", "javac", "mvn"):
        if shutil.which(tool) is None:
            raise LookupError(f"{tool} is not installed")
    place = folder / "streams"
    place.mkdir()
    shutil.copy(HERE / "pom.xml", place)
    _call("mvn", "-q", "-f", str(place / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={place}/jars")
    _call("javac", "-cp", f"{place}/jars/*", "-d", str(place), str(HERE / "StreamsFold.java"))
    return "java", "-Xmx2g", "-cp", f"{place}:{place}/jars/*", "StreamsFold", *_login(kafka), str(place)


def _login(kafka: KafkaConnection) -> Sequence[str]:
    return kafka.bootstrap_servers, kafka.username, kafka.password.get_secret_value()


def _call(*argv: str) -> None:
    done = _outcome(argv, BUILD_SECONDS)
    if done.returncode != 0:
        raise LookupError(f"{Path(argv[0]).name} failed: {(done.stderr or done.stdout).strip()[-300:]}")


def _outcome(argv: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=seconds)

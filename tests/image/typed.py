"""Types the commands of docs/docker.md, `docker compose …`, on containers that are processes."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.image.containers import Containers

COMMAND = re.compile(r"docker compose (?P<words>[^<>#)]+)(?:(?P<way>[<>]) (?P<file>[\w.]+))?")
PAGE = ROOT / "docs" / "docker.md"


class Typed:
    """Who types commands; `said` is what each of them printed, by its line. `in_postgres` runs a program beside the
    server; files that commands read and write are in the folder."""

    def __init__(self, containers: Containers, in_postgres: Callable[..., None], folder: Path) -> None:
        self.containers = containers
        self.said: dict[str, str] = {}
        self._in_postgres = in_postgres
        self._folder = folder

    def blocks(self, title: str) -> list[list[str]]:
        """The lines of each block of commands below a title of the page."""
        section = PAGE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        return [block.splitlines() for block in re.findall(r"^```sh\n(.+?)^```", section, re.MULTILINE | re.DOTALL)]

    def do(self, line: str) -> None:
        """Do what a line says; fails where it is not one of those that are known here, or ends badly."""
        found = COMMAND.search(line)
        assert found, line
        match found["words"].split():
            case ["run", "--rm", "migrate", *words]:
                self.said[line] = self.containers.run("migrate", *words)
            case ["run", "--rm", "--no-deps", "-T", "--entrypoint", program, name, *words]:
                self._pipe(name, (program, *words), self._folder / found["file"], reads=found["way"] == "<")
            case ["exec", "postgres", *words]:
                self._in_postgres(*words)
            case ["stop", *names]:
                for name in names:
                    self.containers.stop(name)
            case ["up", "--detach", "--wait", "kafka", "postgres"]:
                pass  # they run
            case ["up", "--detach"]:
                self.containers.up()
            case unknown:
                raise AssertionError(unknown)

    def _pipe(self, name: str, argv: Sequence[str], file: Path, *, reads: bool) -> None:
        if reads:
            with file.open("rb") as source:
                self.containers.pipe(name, argv, source, None)
            return
        with file.open("wb") as target:
            self.containers.pipe(name, argv, None, target)

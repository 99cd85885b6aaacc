"""The commands of the documents, and what becomes of them when somebody pastes them."""

import asyncio
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import SOURCES, tellback

DOCUMENTS = Path(__file__).parents[2] / "docs"


def commands_of(page: str, section: str) -> list[str]:
    """The blocks of commands of a section of a page under docs, in their order."""
    text = (DOCUMENTS / page).read_text(encoding="utf-8")
    found = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```bash\n(.*?)^```", found, re.MULTILINE | re.DOTALL)


async def pasted(
    commands: str, variables: Mapping[str, str], places: Mapping[str, object] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run commands in bash, with this tree's `tellback`, these environment variables, and other places than those that
    the page names."""
    for named, place in (places or {}).items():
        commands = commands.replace(named, str(place))
    script = f'tellback() {{ {shlex.join(tellback())} "$@"; }}\n' + commands
    return await asyncio.to_thread(
        subprocess.run,
        ("bash", "-ec", script),
        env=os.environ | SOURCES | dict(variables),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

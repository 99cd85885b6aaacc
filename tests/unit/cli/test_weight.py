"""`tellback --help` is quick: heavy modules are imported inside the commands that need them."""

import subprocess
import sys

from tests.support.processes import SOURCES

HEAVY = ("sqlalchemy", "aiokafka", "fastapi", "uvicorn", "alembic", "httpx", "jgo", "rich.progress")


def test_the_command_line_imports_nothing_heavy() -> None:
    code = f"import sys, services.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=SOURCES)
    assert found.stdout.strip() == "[]"

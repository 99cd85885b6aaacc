"""Our own style, script and picture. Their addresses change with what is in them, so browsers keep them for a year."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from nicegui import app as nicegui_app

FOLDER = files("services.dashboard.web") / "static"
YEAR = 365 * 86_400


def serve_assets() -> None:
    """Make them known to NiceGUI's application."""
    nicegui_app.add_static_files("/static", str(FOLDER), max_cache_age=YEAR)


@cache
def asset(name: str) -> str:
    """The address of a file."""
    return f"/static/{name}?v={sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"

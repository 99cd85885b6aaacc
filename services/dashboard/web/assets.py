"""The dashboard's style, script and picture. Their addresses contain a hash of their content, so browsers cache them
for a year."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from nicegui import app as nicegui_app

FOLDER = files("services.dashboard.web") / "static"
YEAR = 365 * 86_400


def serve_assets() -> None:
    """Have NiceGUI's application serve the files."""
    nicegui_app.add_static_files("/static", str(FOLDER), max_cache_age=YEAR)


@cache
def asset(name: str) -> str:
    """The address of a file."""
    return f"/static/{name}?v={sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"

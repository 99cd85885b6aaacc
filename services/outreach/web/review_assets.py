"""What the page of a business review has beside the style of all pages: a style and a small script, each under an
address that contains a hash of its content."""

from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER: Final = files("services.outreach.web") / "static"
STYLE: Final = (_FOLDER / "review.css").read_bytes()
SCRIPT: Final = (_FOLDER / "review.js").read_bytes()
STYLE_NAME: Final = f"review-{sha256(STYLE).hexdigest()[:12]}.css"
SCRIPT_NAME: Final = f"review-{sha256(SCRIPT).hexdigest()[:12]}.js"
_HEADERS: Final = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


async def style(_request: Request) -> Response:
    """Tables and quotes."""
    return Response(STYLE, headers=_HEADERS, media_type="text/css")


async def script(_request: Request) -> Response:
    """Says that somebody is there."""
    return Response(SCRIPT, headers=_HEADERS, media_type="text/javascript")


ROUTES: Final = (
    Route(f"/r/{STYLE_NAME}", style, methods=["GET"]),
    Route(f"/r/{SCRIPT_NAME}", script, methods=["GET"]),
)

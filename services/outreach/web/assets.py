"""The style of the pages, under an address that contains a hash of its content, so that browsers keep it for a year."""

from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STYLE: Final = (files("services.outreach.web") / "static" / "page.css").read_bytes()
STYLE_NAME: Final = f"page-{sha256(STYLE).hexdigest()[:12]}.css"
_HEADERS: Final = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


async def style(_request: Request) -> Response:
    """The one style sheet."""
    return Response(STYLE, headers=_HEADERS, media_type="text/css")


ROUTES: Final = (Route(f"/s/{STYLE_NAME}", style, methods=["GET"]),)

"""`/v1/client.js`: the snippet, as one file without dependencies."""

from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

from shared.http.routing import Router

SOURCE = (Path(__file__).parent / "client.js").read_bytes()
ETAG = f'"{sha256(SOURCE).hexdigest()[:16]}"'
HEADERS = {
    "cache-control": "public, max-age=3600",
    "etag": ETAG,
    "cross-origin-resource-policy": "cross-origin",  # for pages of other sites
    "access-control-allow-origin": "*",  # required for subresource integrity
}

router = Router(tags=["browsers"])


@router.get(
    "/v1/client.js",
    summary="The snippet for web pages",
    response_class=Response,
    responses={
        200: {"content": {"text/javascript": {"schema": {"type": "string"}}}, "description": "JavaScript."},
        304: {"description": "The browser has it."},
    },
)
async def client_js(request: Request) -> Response:
    """Posts responses with a publishable key; keeps them in the browser while there is no connection."""
    if request.headers.get("if-none-match") == ETAG:
        return Response(status_code=304, headers=HEADERS)
    return Response(SOURCE, media_type="text/javascript", headers=HEADERS)

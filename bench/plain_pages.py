"""One page of Starlette with nothing of ours behind it, as a process: `python -P -m bench.plain_pages PORT BYTES`."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route


def app(size: int) -> Starlette:
    """An application with one page of this many bytes."""
    content = b"<!doctype html><title>Plain</title>".ljust(size)

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(content)

    return Starlette(routes=[Route("/", page)])


if __name__ == "__main__":
    uvicorn.run(app(int(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)

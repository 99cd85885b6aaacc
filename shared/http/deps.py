"""What a route asks of its service, as FastAPI dependencies."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from shared.clock import Clock
from shared.db.engine import Database

if TYPE_CHECKING:
    from shared.runtime import Plumbing


def plumbing(request: Request) -> "Plumbing":
    """The plumbing that the service's lifespan opened."""
    found: Plumbing = request.app.state.plumbing
    return found


def service(request: Request) -> Any:
    """The service's own resources, as its app.py put them together."""
    return request.app.state.service


def database(request: Request) -> Database:
    """The service's database."""
    found: Database = request.app.state.plumbing.database
    return found


def clock(request: Request) -> Clock:
    """The service's clock."""
    found: Clock = request.app.state.plumbing.clock
    return found


TheDatabase = Annotated[Database, Depends(database)]
TheClock = Annotated[Clock, Depends(clock)]

"""What routes need of their service, as FastAPI dependencies."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from shared.clock import Clock
from shared.db.engine import Database

if TYPE_CHECKING:
    from shared.runtime import Plumbing


def plumbing(request: Request) -> "Plumbing":
    """The plumbing that the service's lifespan opened."""
    opened: Plumbing = request.app.state.plumbing
    return opened


def service(request: Request) -> Any:
    """The service's own resources, as its app.py built them."""
    return request.app.state.service


def database(request: Request) -> Database:
    """The service's database."""
    plumbing: Plumbing = request.app.state.plumbing
    return plumbing.database


def clock(request: Request) -> Clock:
    """The service's clock."""
    plumbing: Plumbing = request.app.state.plumbing
    return plumbing.clock


TheDatabase = Annotated[Database, Depends(database)]
TheClock = Annotated[Clock, Depends(clock)]

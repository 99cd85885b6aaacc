"""What the routes of alerting ask of their service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from services.alerting.handlers.resources import Resources
from shared.http.deps import service


@dataclass(frozen=True, slots=True)
class Alerting:
    """The service's own resources; `committed` is called after a change, so that what it told leaves at once."""

    resources: Resources
    committed: Callable[[], None]


TheService = Annotated[Alerting, Depends(service)]

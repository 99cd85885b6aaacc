"""What the routes work with, put together by app.py."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from services.benchmark.handlers.cohorts import Cohorts
from services.benchmark.handlers.comparisons import Comparisons
from services.benchmark.handlers.funnels import Funnels
from services.benchmark.handlers.maturity import Maturity
from services.benchmark.handlers.reviews import Reviews
from shared.http.deps import service


@dataclass(frozen=True, slots=True)
class Benchmarking:
    """The use cases of the service, as `app.state.service`."""

    comparisons: Comparisons
    cohorts: Cohorts
    funnels: Funnels
    maturity: Maturity
    reviews: Reviews
    opening: asyncio.Semaphore
    """Held while an uploaded workbook is opened."""


Resources = Annotated[Benchmarking, Depends(service)]

"""Routes: `/v1/benchmarks` and `/v1/comparisons`."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime
from starlette.requests import Request

from services.benchmark.api.models import AccountComparison, PortfolioComparison, PublishedBenchmark
from services.benchmark.handlers.comparisons import Comparisons, Question
from services.benchmark.store.benchmarks import benchmarks
from shared.db.engine import Database
from shared.http.auth import Reader
from shared.http.deps import service
from shared.http.paging import Page
from shared.http.routing import Router
from shared.ids import require_id
from shared.industries import NAMES, canonical_industry

router = Router(prefix="/v1", tags=["benchmarks"])


@dataclass(frozen=True)
class BenchmarkService:
    """What the routes need."""

    database: Database
    comparisons: Comparisons


Service = Annotated[BenchmarkService, Depends(service)]
Window = Annotated[str, Query(pattern=r"^([1-9][0-9]{0,3}d|all)$", description="`Nd` up to 1,100 days, or `all`.")]
Method = Annotated[Literal["latest", "all"], Query(description="How answers are rolled up.")]
AsOf = Annotated[AwareDatetime | None, Query(description="As of this moment; default now.")]
Year = Annotated[int | None, Query(ge=2000, le=2100, description="Compare with this year's benchmark.")]


def question(
    request: Request, window: Window = "365d", method: Method = "latest", as_of: AsOf = None, year: Year = None
) -> Question:
    """What is asked, with the caller's own key for the scorer."""
    moment: datetime | None = as_of
    return Question(request.headers["authorization"], window, method, moment, year)


Asked = Annotated[Question, Depends(question)]


@router.get("/benchmarks")
async def list_benchmarks(
    caller: Reader,
    service: Service,
    industry: Annotated[str | None, Query(max_length=200, description="Slug, name or synonym.")] = None,
    year: Year = None,
) -> Page[PublishedBenchmark]:
    """Published benchmarks, newest year first. An industry without one gives an empty list."""
    slug = canonical_industry(industry) if industry else None
    async with service.database.read() as tx:
        found = await benchmarks(tx, slug, year)
    items = []
    for each in found:
        shown: dict[str, Any] = asdict(each)
        name = NAMES.get(each.industry, each.industry)
        items.append(PublishedBenchmark(set=shown.pop("set_id"), industry_name=name, **shown))
    return Page(items=items)


@router.get("/comparisons/accounts/{account_id}")
async def compare_account(account_id: str, caller: Reader, service: Service, asked: Asked) -> AccountComparison:
    """One account against its own past and its industry."""
    return AccountComparison(**await service.comparisons.of_account(require_id(account_id), asked))


@router.get("/comparisons/portfolio")
async def compare_portfolio(
    caller: Reader,
    service: Service,
    asked: Asked,
    group_by: Annotated[
        Literal["industry", "tier", "region", "owner"] | None,
        Query(description="By industry each group has its benchmark; other groups have their own past only."),
    ] = None,
) -> PortfolioComparison:
    """The portfolio by group, against its own past and, by industry, the published benchmarks."""
    return PortfolioComparison(**await service.comparisons.of_portfolio(asked, group_by))

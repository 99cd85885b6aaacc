"""The score in Delighted's shape, for a frontend that moves in."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from services.scorer.api.parameters import ChosenAnswers, checked
from services.scorer.api.resources import Resources
from services.scorer.domain.figures import score_figures
from services.scorer.domain.questions import Filters
from services.scorer.domain.windows import EARLIEST
from services.scorer.store.reading.metrics import tally_between
from shared.api.business import Metrics
from shared.http.auth import Reader
from shared.http.params import Instant
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router

router = Router(tags=["portfolio"], dependencies=[Depends(no_repeats)])
_MOST_SECONDS = 99_999_999_999
"""More digits than these are milliseconds, which would be a date far away."""


def _seconds(value: Any) -> Any:
    if not (isinstance(value, str) and value.isascii() and value.isdigit()):
        return value
    if int(value) > _MOST_SECONDS:
        raise PydanticCustomError("invalid_time", "must be seconds since 1970 or an RFC 3339 time")
    return datetime.fromtimestamp(int(value), UTC)


def _trend(text: str) -> Filters:
    """`industry:logistics`, several by a comma."""
    parts = [part.partition(":") for part in text.split(",")]
    given = {name.strip(): value.strip() for name, _, value in parts}
    try:
        if len(given) != len(parts) or not all(given.values()):
            raise ValueError
        return _FILTERS.validate_python(given).filters()
    except (ValidationError, ValueError):
        names = ", ".join(ChosenAnswers.model_fields)
        raise PydanticCustomError(
            "invalid_trend", f"must be name:value, several by a comma, with each name once of {names}"
        ) from None


_FILTERS = TypeAdapter(ChosenAnswers)
UnixOrIso = Annotated[Instant | None, BeforeValidator(_seconds)]


class MetricsQuery(Parameters):
    """Which answers."""

    since: UnixOrIso = Field(default=None, description="Answers at or after this moment: Unix seconds or RFC 3339.")
    until: UnixOrIso = Field(default=None, description="Answers up to this moment, likewise; default now.")
    trend: Annotated[str, checked(_trend)] | None = Field(
        default=None,
        max_length=1000,
        description="A segment: `industry:logistics`, several by a comma; names as the filters of other calls have.",
        examples=["industry:logistics,tier:key"],
    )

    @model_validator(mode="after")
    def _in_order(self) -> "MetricsQuery":
        if self.since is not None and self.until is not None and self.since > self.until:
            raise PydanticCustomError("from_after_to", "since must not be later than until")
        return self


@router.get("/v1/metrics.json", response_model=Metrics)
async def get_metrics(caller: Reader, resources: Resources, asked: Annotated[MetricsQuery, Query()]) -> dict[str, Any]:
    """The NPS of all answers between two moments, both included: every answer counts, also several of one person. `nps`
    is rounded half away from zero as Delighted shows it; `nps_exact` is not. Null, not 0, where nothing counts."""
    until = resources.moment(asked.until)
    filters = Filters()
    if asked.trend is not None:
        filters = _trend(asked.trend)
    async with resources.database.read() as tx:
        tally = await tally_between(tx, filters, caller.owner_email, asked.since or EARLIEST, until)
    figures = score_figures(tally)
    return figures | {"nps": figures["nps_rounded"], "nps_exact": figures["nps"]}

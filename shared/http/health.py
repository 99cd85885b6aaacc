"""`/health/live` (the event loop turns), `/health/ready` (the needs of the service that are not met, and remarks on
what else does not work), `/health/startup`, `/metrics`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from shared.errors import TellbackError
from shared.http.routing import Router
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

CHECK_DEADLINE_S = 2.0
T = TypeVar("T")
Check = Callable[[], Coroutine[Any, Any, str | None]]
"""Returns the reason why this need is not met, or None when it is. Reasons name no secrets and no input."""
Remarks = Callable[[], Coroutine[Any, Any, list[str]]]
"""Returns what does not work although requests are answered, a sentence each."""
Shut = Callable[[], TellbackError | None]
"""Returns with which error every request is refused now, other than those of `OPERATIONS`; None while it is not."""
OPERATIONS = ("/health/", "/metrics")
"""How the paths begin that are always answered."""

log = get_logger(__name__)


class CheckResult(BaseModel):
    """One need of the service."""

    name: str = Field(examples=["database"])
    ok: bool
    reason: str | None = Field(default=None, examples=["the database is not reachable"])


class HealthReport(BaseModel):
    """What a probe learns. Remarks tell what does not work although requests are answered."""

    status: str = Field(examples=["ready"])
    checks: list[CheckResult] = Field(default_factory=list)
    remarks: list[str] = Field(default_factory=list, examples=[["halted: kafka_replaced: restore Kafka"]])


class Health:
    """The state of one service: whether it has started, whether it is stopping, and what it needs."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self.remarks: Remarks = _no_remarks
        self.shut: Shut = _never
        self._looking: asyncio.Task[tuple[bool, HealthReport]] | None = None
        self.started = False
        self.stopping = False

    @property
    def has_checks(self) -> bool:
        """Whether the service has added any check."""
        return bool(self._checks)

    def add(self, name: str, check: Check) -> None:
        """Let readiness depend on `check`; it replaces an earlier check of the same name."""
        self._checks[name] = check

    def require_open(self, path: str) -> None:
        """Raises the error with which a request to this path is refused now."""
        refusal = self.shut()
        if refusal is not None and not path.startswith(OPERATIONS):
            raise refusal

    async def report(self) -> tuple[bool, HealthReport]:
        """Whether the service is ready, and why not, with remarks; all checks run concurrently, within 2 s. Concurrent
        probes share one answer, so that they cannot use up the connections that the checks need."""
        if self.stopping or not self.started:
            status = "starting"
            if self.stopping:
                status = "stopping"
            return False, HealthReport(status=status)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> tuple[bool, HealthReport]:
        remarks = asyncio.create_task(_remarks(self.remarks))
        results = await asyncio.gather(*(_run(name, check) for name, check in self._checks.items()))
        ready = all(result.ok for result in results)
        status = "not_ready"
        if ready:
            status = "ready"
        return ready, HealthReport(status=status, checks=results, remarks=await remarks)


async def _no_remarks() -> list[str]:
    return []


def _never() -> None:
    """The default of `Health.shut`."""


async def _run(name: str, check: Check) -> CheckResult:
    try:
        reason = await _in_time(check())
    except TimeoutError:
        reason = "no answer in time"
    except TellbackError as error:
        reason = error.detail or error.code
    except Exception as error:
        log.error("health_check_failed", check=name, exc_info=error)
        reason = "the check itself failed"
    return CheckResult(name=name, ok=reason is None, reason=reason)


async def _remarks(ask: Remarks) -> list[str]:
    try:
        return await _in_time(ask())
    except TimeoutError:
        return ["no answer in time"]


async def _in_time(asked: Coroutine[Any, Any, T]) -> T:
    """The result within the deadline. Raises TimeoutError; the check is not cancelled then, since its dependency may
    hang on cancelling too, and a probe must be answered."""
    work = asyncio.ensure_future(asked)
    done, _ = await asyncio.wait({work}, timeout=CHECK_DEADLINE_S)
    if not done:
        work.add_done_callback(_ignore)
        raise TimeoutError
    return work.result()


def _ignore(work: asyncio.Future[Any]) -> None:
    if not work.cancelled():
        work.exception()


def health_of(app: FastAPI) -> Health:
    """The health of a service, to add checks to: `health_of(app).add("kafka", check)`."""
    health: Health = app.state.health
    return health


router = Router(tags=["operations"])


@router.get("/health/live", summary="Is the process alive?")
async def live() -> HealthReport:
    """Answers as long as the loop turns; asks nothing of Kafka or PostgreSQL."""
    return HealthReport(status="alive")


@router.get(
    "/health/ready",
    summary="Can it do its work now?",
    responses={503: {"model": HealthReport, "description": "Not now; the body says why."}},
)
async def ready(request: Request, response: Response) -> HealthReport:
    """200 when every need is met, else 503 with the reasons."""
    is_ready, report = await health_of(request.app).report()
    if not is_ready:
        response.status_code = 503
    return report


@router.get(
    "/health/startup",
    summary="Has it started?",
    responses={503: {"model": HealthReport, "description": "It is still starting."}},
)
async def startup(request: Request, response: Response) -> HealthReport:
    """200 once the service has opened its resources."""
    if health_of(request.app).started:
        return HealthReport(status="started")
    response.status_code = 503
    return HealthReport(status="starting")


@router.get("/metrics", include_in_schema=False)
async def exposed() -> Response:
    """All metrics in Prometheus' text format."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

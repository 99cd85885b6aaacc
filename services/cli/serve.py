"""`tellback serve SERVICE`: one service in this process, as `up`, a container or any other supervisor runs it."""

import ctypes
import gc
import resource
import socket
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from services.cli import temporary
from services.cli.connection import PORTS, common_settings
from services.cli.console import DataOption
from services.cli.cores import usable_cores
from services.cli.processes import tellback
from services.cli.services import installed_services, service_settings, settings_classes
from services.cli.workers import EVERYWHERE, listening, run_workers
from shared import stopping
from shared.settings import CommonSettings
from shared.unknown_variables import unknown_variables
from shared.watchdog import Watchdog

WITH_WORKERS = "collector"
"""The service that can have several worker processes. The others divide their work by Kafka's partitions: they scale by
replicas."""
GC_THRESHOLDS = (200_000, 20, 20)
"""Requests and records leave hardly any reference cycles, and a full collection costs up to half of a batch's time."""
KEPT_BYTES = 16 * 1024 * 1024
"""Freed memory that the C library keeps. Buffers for Kafka of 100 kB and more are allocated and freed all the time;
given back to the kernel, they come back page by page, which cost a sixth of a batch's time."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
OPEN_FILES = 65_536
"""The limit of open files to ask for where there is none."""


def serve(
    service: Annotated[str, typer.Argument(help=f"One of: {', '.join(PORTS)}.")],
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Default TELLBACK_<SERVICE>_PORT, else the service's own.")
    ] = None,
    pause: Annotated[
        float, typer.Option(min=0, help="Seconds between 'not ready' and the end of accepting, for load balancers.")
    ] = stopping.PAUSE,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=64,
            help="Processes behind the one port, for the collector; 0: one a core that it may use. Default"
            " TELLBACK_COLLECTOR_WORKERS, else 1.",
        ),
    ] = None,
    fd: Annotated[int | None, typer.Option(hidden=True, help="The socket that a worker inherits.")] = None,
    data: DataOption = None,
) -> None:
    """Run one service until SIGTERM; what was begun is finished then, within 20 s.

    Kafka and PostgreSQL are those of the environment, else those of the data folder.
    """
    if service not in installed_services():
        raise typer.BadParameter(f"must be one of: {', '.join(installed_services())}", param_hint="SERVICE")
    if workers is not None and service != WITH_WORKERS:
        raise typer.BadParameter(f"only the {WITH_WORKERS} has workers; start more replicas", param_hint="--workers")
    common = common_settings(data)
    settings = service_settings(service)
    count = workers
    if workers is None:
        count = getattr(settings, "workers", 1)
    address = (common.host, port or settings.port)
    if fd is None:
        temporary.empty(common.data_dir)
    count = count or usable_cores()
    if fd is None and count > 1:
        _configure_logging(service, common)
        argv = tellback("serve", service, "--pause", str(pause))
        if data:
            argv += ("--data", str(data))
        raise typer.Exit(run_workers(count, argv, listening(*address), pause))
    app = _app(service, common)
    temporary.keep_in(common.data_dir)
    inherited = None
    if fd is not None:
        inherited = [socket.socket(fileno=fd)]
    elif common.host == EVERYWHERE:
        inherited = [listening(*address)]  # uvicorn's own would not take IPv4
    watchdog = Watchdog(last=pause + stopping.LAST)
    try:
        _server(app, address, pause, common.trusted_proxies, _limits(common), watchdog).run(inherited)
    except KeyboardInterrupt:  # uvicorn raises KeyboardInterrupt after a clean stop
        return


def keep_freed_memory() -> None:
    """Let the C library keep `KEPT_BYTES`, where it has that setting (glibc)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            mallopt(option, KEPT_BYTES)


def _app(service: str, common: CommonSettings) -> Any:
    from shared.telemetry.logging import get_logger

    _configure_logging(service, common)
    for name, close in unknown_variables(settings_classes()):
        get_logger(__name__).warning("unknown_variable", variable=name, did_you_mean=close)
    return import_module(f"services.{service}.app").build(common)


def _configure_logging(service: str, common: CommonSettings) -> None:
    from shared.telemetry.logging import configure

    configure(service, common.log_level, common.log_format)


def raised_open_files() -> int:
    """Raise the limit of open files, of which each connection is one, as far as we may; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return OPEN_FILES
    wanted = hard
    if hard == resource.RLIM_INFINITY:
        wanted = max(soft, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def _limits(common: CommonSettings) -> Any:
    from shared.http.connections import LOOPBACK, Limits, connections_for, networks

    return Limits(
        keep_alive=common.keep_alive,
        connections=connections_for(raised_open_files()),
        uncounted=(*LOOPBACK, *networks(common.trusted_proxies)),
    )


def _server(
    app: Any,
    address: tuple[str, int],
    pause: float,
    proxies: Sequence[str],
    limits: Any,
    watchdog: Watchdog | None = None,
) -> Any:
    import uvicorn

    from shared.http.protocol import GuardedProtocol

    class DrainingServer(uvicorn.Server):
        """Says 'not ready' first, goes on serving for the pause, and only then stops to accept."""

        stop_at: float | None = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Start, then take what lives from the start out of the sight of the cyclic garbage collector."""
            await super().startup(sockets=sockets)
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            keep_freed_memory()

        async def on_tick(self, counter: int) -> bool:
            if watchdog is not None:
                watchdog.tick()
            if not await super().on_tick(counter) or self.force_exit:
                return self.should_exit
            if watchdog is not None:
                watchdog.stopping()
            app.state.health.stopping = True
            self.stop_at = self.stop_at or time.monotonic() + pause
            return time.monotonic() >= self.stop_at

    return DrainingServer(
        uvicorn.Config(
            app,
            host=address[0],
            port=address[1],
            loop="uvloop",
            http=GuardedProtocol.within(limits),
            lifespan="on",
            timeout_graceful_shutdown=stopping.REQUESTS,
            access_log=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            server_header=False,
            log_config=None,
        )
    )

"""Structured logs: a line is one event name with its facts, JSON for machines or coloured for a terminal.

Logs of libraries (uvicorn, aiokafka, alembic) are written in the same format. Request and trace ids are part of every
line of their request; the content of answers never is.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from shared.telemetry.redaction import one_line, redact
from shared.telemetry.tracebacks import rendered

_QUIET = {
    "uvicorn.access": logging.CRITICAL,
    "uvicorn.error": logging.INFO,
    "nicegui": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}
"""Libraries whose lines would repeat our own, or contain addresses with their query or the content of sockets."""
_WITH_OWN_WAYS = ("uvicorn", "uvicorn.error", "uvicorn.access")
"""Loggers to which uvicorn's default configuration gives handlers of their own and which it cuts off from the root."""


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: first an event name (`batch_committed`), then facts as keywords. Secrets are removed
    here, not in `configure`, so that every destination is covered."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
    ).bind()
    return logger


def configure(service: str, level: str = "info", log_format: str = "auto") -> None:
    """Send the log lines of this process to standard error. `log_format`: auto, json or console."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _naming(service),
                *([one_line] if console else []),
                _renderer(console),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _WITH_OWN_WAYS:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    for name, threshold in _QUIET.items():
        logging.getLogger(name).setLevel(max(threshold, root.level))
    logging.getLogger("uvicorn.error").addFilter(_no_address_of_a_socket)


def _no_address_of_a_socket(record: logging.LogRecord) -> bool:
    """Drop uvicorn's line about each WebSocket: it has the address with its query, which names the page that the socket
    belongs to."""
    return '"WebSocket ' not in str(record.msg)


def _renderer(console: bool) -> Processor:
    if console:
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _naming(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


def _exceptions(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by a traceback without data."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    elif given is not None and not isinstance(given, BaseException):
        given = sys.exc_info()[1] if given else None
    if given is not None:
        event["exception"] = rendered(given)
    return event


_PROCESSORS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _exceptions,
    redact,
)

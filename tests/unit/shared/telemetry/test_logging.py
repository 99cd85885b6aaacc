"""Each log entry is one safe line: no keys, no passwords, no content of answers, from any library."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
import structlog
import uvicorn
from pydantic import TypeAdapter, ValidationError

from shared.telemetry import logging as telemetry
from shared.telemetry.redaction import redacted
from shared.telemetry.tracebacks import rendered, safe_message

TOKEN = "tb_abcdefghijkl_0123456789abcdefghijABCDEFGHIJ-_0123456789a"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes to standard error, in JSON; logging is as before afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    monkeypatch.setattr("sys.stderr", stream)
    telemetry.configure("collector", "info", "json")
    yield stream
    root.handlers, root.level = handlers, level


def written(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_holds_the_event_and_its_facts(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1", trace_id="t1"):
        telemetry.get_logger("services.collector.api").info("accepted", count=3)
    telemetry.get_logger("x").debug("left_out")
    [line] = written(lines)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "accepted",
        "count": 3,
        "level": "info",
        "logger": "services.collector.api",
        "service": "collector",
        "request_id": "r1",
        "trace_id": "t1",
    }


@pytest.mark.parametrize("name", ["services.collector", "a.library"])
def test_in_a_terminal_too_an_event_is_one_line_whatever_is_in_it(lines: io.StringIO, name: str) -> None:
    telemetry.configure("collector", "info", "console")
    cast(logging.StreamHandler[Any], logging.getLogger().handlers[0]).setStream(lines)
    forged = "acme\n2026-01-01 [error] forged\r\x1b[2J\x9b2J\u2028\x85"
    logger = telemetry.get_logger(name) if name.startswith("services.") else logging.getLogger(name)
    logger.info(forged)
    telemetry.get_logger(name).info("taken", account_id=forged)
    assert len(lines.getvalue().splitlines()) == 2
    assert all(sign.isprintable() or sign == "\n" for sign in lines.getvalue())


def test_secrets_and_content_are_masked(lines: io.StringIO) -> None:
    telemetry.get_logger("x").info(
        "odd",
        comment="my boss is a fool",
        secret_key="s",
        authorization=f"Bearer {TOKEN}",
        note=f"key {TOKEN} for postgresql://user:hunter2@host/db",
        nested={"password": "hunter2", "list": [TOKEN, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]},
        empty=None,
    )
    text = lines.getvalue()
    for hidden in ("boss", "hunter2", "whsec_Mf", TOKEN[16:]):
        assert hidden not in text
    [line] = written(lines)
    assert line["note"] == "key tb_abcdefghijkl_[redacted] for postgresql://user:[redacted]@host/db"
    assert line["empty"] is None


def test_lines_of_libraries_are_made_safe_too(lines: io.StringIO) -> None:
    logging.getLogger("aiokafka").warning("cannot use %s", f"sasl://user:hunter2@broker {TOKEN}")
    logging.getLogger("uvicorn.access").critical("kept")
    logging.getLogger("uvicorn.access").info("GET /v1/accounts/acme")
    assert "hunter2" not in lines.getvalue()
    assert "acme" not in lines.getvalue()
    assert [line["service"] for line in written(lines)] == ["collector", "collector"]


def test_lines_of_a_server_that_configured_its_own_logging_go_the_same_way(lines: io.StringIO) -> None:
    uvicorn.Config("nowhere:app")  # configures uvicorn's loggers, as any library that runs a server may do
    with contextlib.redirect_stderr(lines):
        telemetry.configure("collector", "info", "json")
    logging.getLogger("uvicorn.error").warning("kept")
    logging.getLogger("uvicorn.access").critical("kept")
    assert [line["service"] for line in written(lines)] == ["collector", "collector"]


def test_an_exception_says_where_but_not_what_was_sent(lines: io.StringIO) -> None:
    try:
        try:
            TypeAdapter(int).validate_python("my boss is a fool")
        except ValidationError as error:
            raise RuntimeError(f"cannot go on with {TOKEN}") from error
    except RuntimeError:
        telemetry.get_logger("x").exception("failed")
        logging.getLogger("library").exception("failed")
    for line in written(lines):
        assert "boss" not in line["exception"]
        assert TOKEN not in line["exception"]
        assert "RuntimeError: cannot go on with tb_abcdefghijkl_[redacted]" in line["exception"]
        assert "because of pydantic_core" in line["exception"]
        assert "int_parsing" in line["exception"]
        assert "test_logging.py" in line["exception"]


def test_lines_are_safe_before_logging_is_set_up(caplog: pytest.LogCaptureFixture) -> None:
    telemetry.get_logger("x").warning("early", comment="my boss is a fool", key_note=TOKEN)
    assert "boss" not in caplog.text
    assert TOKEN not in caplog.text


def test_the_console_is_for_people(monkeypatch: pytest.MonkeyPatch, lines: io.StringIO) -> None:
    monkeypatch.setattr("sys.stderr", lines)  # pytest restores its own handlers before each test
    telemetry.configure("collector", "info", "console")
    cast(logging.StreamHandler[Any], logging.getLogger().handlers[0]).setStream(lines)
    telemetry.get_logger("x").info("accepted", count=3)
    assert "accepted" in lines.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines.getvalue())


class DriverError(Exception):
    """An error like the driver's, with the row in its text."""

    sqlstate = "23505"


def test_errors_of_the_database_tell_their_state_alone() -> None:
    error = DriverError("duplicate key value: (email)=(jane@client.example)")
    assert safe_message(error) == "SQLSTATE 23505"
    assert "jane" not in rendered(error)


def test_a_chain_of_causes_ends() -> None:
    error: BaseException = ValueError("first")
    for number in range(20):
        following = ValueError(str(number))
        following.__cause__ = error
        error = following
    assert rendered(error).count("because of") == 4


@pytest.mark.parametrize("text", ["tb_short_x", "table_tb", "a normal line", "http://host/path", "Bearer of news"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redacted(text) == text

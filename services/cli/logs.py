"""The logs of a supervisor's children: a pipe for each, and the process that writes them to files of limited size."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from services.cli import log_writer

_log = logging.getLogger(__name__)
LOG_BYTES = 10_000_000
KEPT = 3
"""Older files beside each log."""
ANSWER_SECONDS = 2.0
WATCH_SECONDS = 0.1
RETRY_SECONDS = 5.0
STOP_SECONDS = 2.0


class Logs:
    """The pipes of all logs, by path. The writer is started with the first log, and again when it dies: what is written
    meanwhile waits in the pipes, whose both ends are held here."""

    def __init__(self, size: int = LOG_BYTES, kept: int = KEPT) -> None:
        self._size = size
        self._kept = kept
        self._pipes: dict[Path, tuple[int, int]] = {}
        self._requests: socket.socket | None = None
        self._number = 0
        """Of the last request."""
        self._writer: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the writer; None before the first log."""
        if self._writer is None:
            return None
        return self._writer.pid

    def open(self, log: Path) -> int:
        """The descriptor to which a program writes its log. Raises OSError where the file cannot be opened."""
        with log.open("ab"):
            pass
        if log not in self._pipes:
            self._pipes[log] = os.pipe()
        if self._writer is None:
            self._start()
            self._watch = asyncio.create_task(self._keep_running())
        else:
            self._hand_over(log)
        return self._pipes[log][1]

    def drain(self) -> None:
        """Wait until all that was written so far is in the files, at most 2 s."""
        self._ask({})

    async def close(self) -> None:
        """Let the writer end after what is written. Called when the children have ended."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        for ends in self._pipes.values():
            for end in ends:
                os.close(end)
        self._pipes.clear()
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._writer is not None:
            await asyncio.to_thread(_ended, self._writer)
            self._writer = None

    def _start(self) -> None:
        if self._requests is not None:
            self._requests.close()
        self._requests, given = socket.socketpair()
        with given:
            self._writer = subprocess.Popen(
                [sys.executable, "-I", "-S", log_writer.__file__],
                stdin=given.fileno(),
                stdout=subprocess.DEVNULL,
                process_group=0,
            )
        for log in self._pipes:
            self._hand_over(log)

    def _hand_over(self, log: Path) -> None:
        self._ask({"log": str(log.absolute()), "bytes": self._size, "kept": self._kept}, self._pipes[log][0])

    def _ask(self, wanted: dict[str, str | int], *pipes: int) -> None:
        """Send a request and wait for its answer, at most 2 s. A writer that has just died gives none: the next one is
        handed all logs. An answer that comes late is that of an earlier request, and is passed over."""
        if self._requests is None:
            return
        self._number += 1
        request = json.dumps({**wanted, "number": self._number})
        answer, received = b"%d\n" % self._number, b""
        deadline = time.monotonic() + ANSWER_SECONDS
        with suppress(OSError):
            self._requests.settimeout(ANSWER_SECONDS)
            socket.send_fds(self._requests, [request.encode() + b"\n"], pipes)
            while not received.endswith(answer):
                self._requests.settimeout(max(0.001, deadline - time.monotonic()))
                piece = self._requests.recv(log_writer.REQUEST_BYTES)
                if not piece:
                    return
                received += piece

    async def _keep_running(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._writer is None or self._writer.poll() is None:
                continue
            try:
                self._start()
            except OSError:  # no memory or no process left: what is written waits in the pipes
                _log.exception("the writer of logs does not start")
                await asyncio.sleep(RETRY_SECONDS)


def _ended(writer: "subprocess.Popen[bytes]") -> None:
    try:
        writer.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:  # somebody else holds a pipe: a child of a child
        writer.kill()
        writer.wait()

"""The process that writes the logs of all children of a supervisor, and rotates them while they run.

Each log is a pipe into which its program writes. The supervisor holds both ends as well: a program that starts again
and a writer that takes the place of one that died go on with the same pipe. When the supervisor is killed, the programs
end, writing their last lines, and this process ends after them, when nobody can write any more.

It is started by its path and imports the standard library alone, so that it starts at once and stays small. Requests
come over the socket that is its standard input, a line each: a JSON object with its `number`, `log` (path), `bytes` and
`kept`, and the reading end of a pipe; or with its `number` alone, which asks to write all that was sent so far. The
answer is a line with the number, once that is done.
"""

import array
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

CHUNK = 1 << 16
REQUEST_BYTES = 8_192


class Log:
    """A log file of at most `size` bytes and a line, and `kept` older ones: name.1 is the newest of those."""

    def __init__(self, path: Path, size: int, kept: int) -> None:
        self._path = path
        self._size = size
        self._kept = kept
        self._file: IO[bytes] | None = None
        self._within_line = False
        self._lost = 0

    def write(self, content: bytes) -> None:
        """Append, and rotate between two lines where the file is full. What cannot be written, as on a full disk, is
        counted and dropped: the program that says it must not wait."""
        try:
            if self._lost:
                self._append(f"({self._lost} bytes of this log could not be written)\n".encode())
                self._lost = 0
            while content:
                fitting = self._fitting(content)
                self._append(content[:fitting])
                content = content[fitting:]
                if content:
                    self._rotate()
        except OSError:
            self._lost += len(content)

    def close(self) -> None:
        """Close the file. The next line opens it by its name again: somebody may have moved it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fitting(self, content: bytes) -> int:
        """How many bytes go into this file: all, or whole lines; a line that was begun is ended in any case."""
        used = self._opened().tell()
        if used + len(content) <= self._size:
            return len(content)
        fitting = content.rfind(b"\n", 0, max(0, self._size - used)) + 1
        if fitting == 0 and (self._within_line or used == 0):
            return content.find(b"\n") + 1 or len(content)
        return fitting

    def _append(self, content: bytes) -> None:
        file = self._opened()
        while content:
            written = file.write(content)
            self._within_line = not content[:written].endswith(b"\n")
            content = content[written:]

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        return self._file

    def _rotate(self) -> None:
        for number in range(self._kept - 1, 0, -1):
            with suppress(FileNotFoundError):
                self._numbered(number).replace(self._numbered(number + 1))
        with suppress(FileNotFoundError):  # somebody has moved it, and the next line begins a new one
            self._path.replace(self._numbered(1))
        self.close()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class Writer:
    """All logs of one supervisor, by path, and the pipes that they are read from."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)
        self._logs: dict[Path, Log] = {}
        self._pipes: dict[int, Log] = {}
        self._begun = b""
        self._given: list[int] = []
        """Descriptors that came with requests which are not done yet."""

    def run(self) -> None:
        """Write until the supervisor and all programs have ended."""
        while self._selector.get_map():
            for key, _ in self._selector.select():
                if key.fileobj is self._requests:
                    self._answer()
                else:
                    self._copy(key.fd)

    def _answer(self) -> None:
        received, pipes = _received(self._requests)
        if not received:
            self._selector.unregister(self._requests)
            return
        self._given += pipes
        *lines, self._begun = (self._begun + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "log" in request:
                self._take(Path(request["log"]), request["bytes"], request["kept"], self._given.pop(0))
            else:
                self._drain()
            with suppress(OSError):  # the supervisor was killed meanwhile
                self._requests.send(b"%d\n" % request["number"])

    def _take(self, path: Path, size: int, kept: int, pipe: int) -> None:
        """Begin with a log, or open its file anew where it is known."""
        known = self._logs.get(path)
        if known is not None:
            known.close()
            os.close(pipe)
            return
        log = self._logs[path] = Log(path, size, kept)
        os.set_blocking(pipe, False)
        self._pipes[pipe] = log
        self._selector.register(pipe, selectors.EVENT_READ)

    def _drain(self) -> None:
        for pipe in list(self._pipes):
            while self._copy(pipe):
                pass

    def _copy(self, pipe: int) -> bool:
        """Write what a pipe holds, at most 64 kB; returns whether there may be more."""
        try:
            content = os.read(pipe, CHUNK)
        except BlockingIOError:
            return False
        if not content:
            self._selector.unregister(pipe)
            del self._pipes[pipe]
            os.close(pipe)
            return False
        self._pipes[pipe].write(content)
        return True


def _received(requests: socket.socket) -> tuple[bytes, list[int]]:
    """The next bytes of requests, b"" at the end, and the descriptors that came with them."""
    pipes = array.array("i")
    request, ancillary, _, _ = requests.recvmsg(REQUEST_BYTES, socket.CMSG_LEN(pipes.itemsize))
    for _, _, content in ancillary:
        pipes.frombytes(content)
    return request, list(pipes)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the programs end first, and have something to say about it
    with socket.socket(fileno=sys.stdin.fileno()) as given:
        Writer(given).run()

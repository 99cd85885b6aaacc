"""Ends a process whose event loop is blocked, so that its supervisor starts it again, and one that does not stop.

A call that never returns blocks every request and every task, and no Python code can run beside it: a thread of the
interpreter (faulthandler) waits, writes the stack to standard error, and ends the process with code 1.
"""

import faulthandler
import sys
import time

from shared.stopping import LAST

LIMIT_SECONDS = 60.0
_REARMS = 20
"""How often within the limit the timer is rearmed while the event loop turns."""


class Watchdog:
    """Ends the process when `seconds` pass without a tick, and `last` seconds after it was told to stop. A process that
    was stopped (SIGSTOP) for longer is ended too."""

    def __init__(self, seconds: float = LIMIT_SECONDS, last: float = LAST) -> None:
        self._seconds = seconds
        self._last = last
        self._armed_at = float("-inf")

    def tick(self) -> None:
        """Rearm the timer. Called from the event loop, any number of times."""
        now = time.monotonic()
        if now - self._armed_at >= self._seconds / _REARMS:
            self._armed_at = now
            _end_after(self._seconds)

    def stopping(self) -> None:
        """The process has been told to stop: it ends after `last` seconds, whatever it still waits for, be it a thread
        of its own."""
        if self._armed_at < float("inf"):
            self._armed_at = float("inf")
            _end_after(self._last)


def _end_after(seconds: float) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)

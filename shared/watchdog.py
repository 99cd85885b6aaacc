"""Ends a process whose event loop is blocked, so that its supervisor starts it again.

A call that never returns blocks every request and every task, and no Python code can run beside it: a thread of the
interpreter (faulthandler) waits, writes the stack to standard error, and ends the process with code 1.
"""

import faulthandler
import sys
import time

LIMIT_SECONDS = 60.0
_REARMS = 20
"""How often within the limit the timer is rearmed while the event loop turns."""


class Watchdog:
    """Ends the process when `seconds` pass without a tick. A process that was stopped (SIGSTOP) for longer is ended
    too."""

    def __init__(self, seconds: float = LIMIT_SECONDS) -> None:
        self._seconds = seconds
        self._armed_at = float("-inf")

    def tick(self) -> None:
        """Rearm the timer. Called from the event loop, any number of times."""
        now = time.monotonic()
        if now - self._armed_at >= self._seconds / _REARMS:
            self._armed_at = now
            faulthandler.dump_traceback_later(self._seconds, exit=True, file=sys.__stderr__ or sys.stderr)

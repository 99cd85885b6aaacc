"""Ends a process whose event loop stands still, so that its supervisor starts it anew.

A call that never returns holds up every request and every task, and no code of ours can run beside it: a thread of the
interpreter's own waits, writes the stack to standard error, and ends the process with code 1.
"""

import faulthandler
import sys
import time

LIMIT_SECONDS = 60.0
_REARMS = 20
"""How often within the limit the wait begins anew while the loop turns."""


class Watchdog:
    """Waits `seconds` for the next tick. A process that was stopped (SIGSTOP) for longer is ended too."""

    def __init__(self, seconds: float = LIMIT_SECONDS) -> None:
        self._seconds = seconds
        self._armed_at = float("-inf")

    def tick(self) -> None:
        """The loop turns: begin to wait anew. To be called from the loop, as often as one likes."""
        now = time.monotonic()
        if now - self._armed_at >= self._seconds / _REARMS:
            self._armed_at = now
            faulthandler.dump_traceback_later(self._seconds, exit=True, file=sys.__stderr__ or sys.stderr)

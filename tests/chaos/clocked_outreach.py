"""Outreach as a process whose clock a test moves: `python -P -m tests.chaos.clocked_outreach PORT FILE`. The file holds
by how many seconds its time differs from that of the machine."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

from services.outreach.app import build
from shared.clock import SystemClock
from shared.settings import CommonSettings
from shared.telemetry.logging import configure


@dataclass(frozen=True, slots=True)
class MovedClock:
    """The time of the machine, moved by what the file says now."""

    offset: Path

    def now(self) -> datetime:
        """The moved time."""
        return SystemClock().now() + timedelta(seconds=float(self.offset.read_text()))


def main(port: str, offset: str) -> None:
    """Serve until SIGTERM."""
    common = CommonSettings.load()
    configure("outreach", common.log_level, common.log_format)
    uvicorn.run(build(common, MovedClock(Path(offset))), host="127.0.0.1", port=int(port), log_config=None)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What is run over the topic: processes of ours that keep cursors, and other stream processors."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.cli.embedded.process import free_port
from tests.support.processes import tellback


@dataclass(slots=True)
class Case:
    """A name, how many processes run it, and what was measured: responses a second, and for the scorer the seconds
    from the last response until all figures and events were there."""

    name: str
    processes: int = 1
    rates: list[float] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether it is the scorer itself."""
        return self.name.startswith("scorer")

    def commands(self) -> list[Sequence[str]]:
        """The command lines of its processes."""
        if self.whole:
            serve = ("serve", "scorer", "--pause", "0", "--port")
            return [tellback(*serve, str(free_port())) for _ in range(self.processes)]
        return [(sys.executable, "-P", "-m", "bench.scorer.child", self.name.split()[0])]


def ours() -> list[Case]:
    """Baselines and the scorer with one process and with two."""
    return [Case("decode alone"), Case("dict fold"), Case("scorer, 1 process"), Case("scorer, 2 processes", 2)]

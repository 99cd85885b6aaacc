"""The embedded Kafka in trouble: out of memory it ends at once with a message, and the log stays intact."""

from pathlib import Path

import pytest

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka
from services.cli.embedded.process import free_port
from services.cli.supervisor import Part, StartFailed, Supervisor

pytestmark = pytest.mark.slow
TOO_SMALL = "24m"


async def test_a_broker_out_of_memory_ends_and_says_so(tmp_path: Path) -> None:
    jars = Jars()
    jars.fetch(jars.wrong())
    kafka = Kafka(tmp_path / "kafka", jars, free_port(), free_port())
    kafka.prepare()
    kafka.heap = TOO_SMALL
    supervisor = Supervisor(lambda _child, _what: None)

    async def ready(_pid: int) -> bool:
        return kafka.ready()

    with pytest.raises(StartFailed, match=r"exit code 3 \(out of memory\)"):
        await supervisor.start([Part(kafka.program(), ready, kafka.port, 0)])
    await supervisor.stop()

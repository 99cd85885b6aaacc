"""What `shared.http.protocol` stands on is not promised by uvicorn, so it is held here.

When this fails after an upgrade: read what changed in uvicorn, see whether our protocol still fits, and write the new
digest down.
"""

import asyncio
import hashlib
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

DIGESTS = {
    "protocol.__init__": "4f0899941034",
    "protocol.connection_made": "6efb565ff3d3",
    "protocol.connection_lost": "c91a4c9bf2e2",
    "protocol.data_received": "010a7ae59a5d",
    "protocol.handle_websocket_upgrade": "179c4f769386",
    "protocol.on_message_begin": "96d377fdc7c2",
    "protocol.on_headers_complete": "1ea8589acfad",
    "protocol._start_asgi_task": "9c08c2571ae9",
    "protocol.on_body": "dba9c32aeba3",
    "protocol.on_message_complete": "1fbad42dc31f",
    "protocol.on_response_complete": "64e254f28e38",
    "protocol.shutdown": "d7351fa33f00",
    "protocol.pause_writing": "17a8fd215d96",
    "protocol.resume_writing": "7844bbaa8cce",
    "protocol._should_upgrade": "8fcad1ab8e09",
    "cycle.__init__": "4d2f220910c3",
    "cycle.run_asgi": "0f33f2449a44",
    "cycle.send": "abdd8601b326",
    "cycle.receive": "8124ae006be7",
    "flow.pause_reading": "7c27388bb984",
    "flow.resume_reading": "a0429d30857e",
}


def digest(of: Callable[..., Any]) -> str:
    """A short name for the very text of a function."""
    return hashlib.sha256(inspect.getsource(of).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_what_we_replace_or_wrap_is_what_we_have_read(name: str) -> None:
    owner, method = name.split(".")
    owners = {"protocol": HttpToolsProtocol, "cycle": RequestResponseCycle, "flow": FlowControl}
    assert digest(getattr(owners[owner], method)) == DIGESTS[name]


async def test_a_protocol_has_the_attributes_that_we_use() -> None:
    def app(*_: object) -> None: ...

    config = uvicorn.Config(app, interface="asgi3", log_config=None)
    protocol: Any = HttpToolsProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    assert (protocol.cycle, protocol.scope, protocol.flow, protocol.client) == (None, None, None, None)
    assert (len(protocol.pipeline), protocol.tasks, protocol.connections) == (0, set(), set())
    assert protocol.server_state.total_requests == 0
    flow = FlowControl(SimpleNamespace())  # type: ignore[arg-type]
    assert (flow.read_paused, flow.write_paused) == (False, False)
    assert STATUS_LINE[503] == b"HTTP/1.1 503 Service Unavailable\r\n"

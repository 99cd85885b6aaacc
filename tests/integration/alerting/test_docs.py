"""The examples of docs/alerting.md and docs/webhooks.md, pasted as they are."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.environment import Environment
from tests.support.http import api_key
from tests.support.mail import mail_server
from tests.support.webhooks import Hooks, served_hooks

DOCS = Path(__file__).parents[3] / "docs"
SCOPES = ("read", "act", "manage")


def examples(page: str, language: str) -> list[str]:
    """The blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


async def pasted(api: Hooks, script: str, **variables: str) -> Any:
    """What the script prints, as JSON, with the address of the service in the place of the one in the docs."""
    there = str(api.client.base_url).rstrip("/")
    key = await api_key(api.environment, SCOPES)
    child = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        script.replace("http://127.0.0.1:8003", there),
        env={"PATH": os.environ["PATH"], "KEY": key, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaint = await child.communicate()
    assert child.returncode == 0, complaint.decode()
    return json.loads(out)


async def follow_up(api: Hooks) -> str:
    made = await api.call("POST", "/follow-ups", 201, json={"account_id": "acme", "reason": "they called"})
    return str(made["follow_up_id"])


async def test_the_examples_of_closing_the_loop_work(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    dry_run, notification, call_back = examples("alerting.md", "sh")
    async with mail_server() as post:
        for name, value in post.settings().items():
            monkeypatch.setenv(name, value)
        async with served_hooks(environment) as api:
            assert (await pasted(api, dry_run))["sentence"] == "would have opened 0 tasks"
            assert (await pasted(api, notification))["channel"] == "mail"

            (registered,) = examples("webhooks.md", "")[:1]
            endpoint = await pasted(api, registered)
            assert endpoint["event_types"] == ["follow_up.opened", "follow_up.closed"]

            task = await follow_up(api)
            known = {"SECRET": endpoint["secret"], "ENDPOINT_ID": endpoint["id"], "FOLLOW_UP_ID": task}
            answer = await pasted(api, call_back, **known)
            assert (answer["state"], answer["changed"]) == ("acknowledged", True)

            await _python_example(api, endpoint, task)


async def _python_example(api: Hooks, endpoint: dict[str, Any], task: str) -> None:
    (source,) = examples("alerting.md", "python")
    names: dict[str, Any] = {}
    exec(compile(source, "docs/alerting.md", "exec"), names)  # noqa: S102 - our own page
    url = f"{str(api.client.base_url).rstrip('/')}/v1/callbacks/{endpoint['id']}"
    body = {"follow_up_id": task, "action": "close", "outcome": "resolved"}
    answer: httpx.Response = await asyncio.to_thread(names["call_back"], url, endpoint["secret"], "crm-2", body)
    assert answer.json()["state"] == "closed", answer.text

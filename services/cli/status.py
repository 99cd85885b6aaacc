"""`tellback status`: what runs on a data folder, whether it is ready, and what it occupies."""

import asyncio
import time
from typing import Any

import typer

from services.cli.console import DataOption, Exit, JsonOption, as_json, say, table
from services.cli.folder import DataFolder


def status(data: DataOption = None, json: JsonOption = False) -> None:
    """Show every process of the running `up`. Exit code 3 when nothing runs, 1 when a part is not ready."""
    folder = DataFolder(data)
    holder = folder.holder()
    parts = []
    pid = port_base = started_at = None
    if holder is not None:
        pid, started_at = holder.pid, holder.started_at
        if holder.serves:
            port_base = holder.port_base
        parts = [_part(name, part) for name, part in folder.running().get("parts", {}).items()]
    state = {
        "running": holder is not None,
        "data": str(folder.path),
        "pid": pid,
        "port_base": port_base,
        "started_at": started_at,
        "memory_mb": round(sum(part["memory_mb"] for part in parts), 1),
        "parts": parts,
    }
    if json:
        as_json(state)
    else:
        _show(state)
    if holder is None:
        raise typer.Exit(Exit.UNAVAILABLE)
    if not parts or not all(part["ready"] for part in parts):
        raise typer.Exit(Exit.FAILED)


def _part(name: str, part: dict[str, Any]) -> dict[str, Any]:
    from services.cli.memory import megabytes, tree
    from services.cli.processes import Readiness, readiness
    from services.cli.services import installed_services

    processes = tree(part["pid"])
    state, uptime = "ended", None
    if processes:
        state, uptime = part["state"], round(time.time() - processes[0].create_time())
    answer = Readiness(ready=state == "ready")
    if answer.ready and name in installed_services():
        answer = asyncio.run(readiness(part["port"]))
    return {
        "name": name,
        "state": state,
        "ready": answer.ready,
        "remarks": answer.remarks,
        "port": part["port"],
        "pid": part["pid"],
        "uptime_s": uptime,
        "restarts": part["restarts"],
        "memory_mb": round(megabytes([part["pid"]]), 1),
    }


def _show(state: dict[str, Any]) -> None:
    if not state["running"]:
        say(f"nothing runs on {state['data']}")
        return
    columns = ("part", "state", "ready", "port", "pid", "up (s)", "restarts", "memory (MB)")
    names = ("name", "state", "ready", "port", "pid", "uptime_s", "restarts", "memory_mb")
    rows = []
    for part in state["parts"]:
        # As text: a number would be grouped by thousands.
        cells = part | {"port": str(part["port"]), "pid": str(part["pid"])}
        rows.append([cells[name] for name in names])
    table(columns, rows)
    for part in state["parts"]:
        for remark in part["remarks"]:
            say(f"{part['name']}: {remark}")
    say(f"process {state['pid']} since {state['started_at']} on {state['data']}; together {state['memory_mb']:.0f} MB")

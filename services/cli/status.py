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
    parts = [_part(name, part) for name, part in folder.running().get("parts", {}).items()] if holder else []
    found = {
        "running": holder is not None,
        "data": str(folder.path),
        "pid": holder.pid if holder else None,
        "port_base": holder.port_base if holder and holder.serves else None,
        "started_at": holder.started_at if holder else None,
        "memory_mb": round(sum(part["memory_mb"] for part in parts), 1),
        "parts": parts,
    }
    if json:
        as_json(found)
    else:
        _show(found)
    if holder is None:
        raise typer.Exit(Exit.UNAVAILABLE)
    if not parts or not all(part["ready"] for part in parts):
        raise typer.Exit(Exit.FAILED)


def _part(name: str, part: dict[str, Any]) -> dict[str, Any]:
    from services.cli.memory import megabytes, tree
    from services.cli.parts import Readiness, readiness
    from services.cli.services import installed_services

    alive = tree(part["pid"])
    said = Readiness(ready=bool(alive) and part["state"] == "ready")
    if said.ready and name in installed_services():
        said = asyncio.run(readiness(part["port"]))
    return {
        "name": name,
        "state": part["state"] if alive else "ended",
        "ready": said.ready,
        "remarks": said.remarks,
        "port": part["port"],
        "pid": part["pid"],
        "uptime_s": round(time.time() - alive[0].create_time()) if alive else None,
        "restarts": part["restarts"],
        "memory_mb": round(megabytes([part["pid"]]), 1),
    }


def _show(found: dict[str, Any]) -> None:
    if not found["running"]:
        say(f"nothing runs on {found['data']}")
        return
    columns = ("part", "state", "ready", "port", "pid", "up (s)", "restarts", "memory (MB)")
    names = ("name", "state", "ready", "port", "pid", "uptime_s", "restarts", "memory_mb")
    table(columns, [[str(part[n]) if n in ("port", "pid") else part[n] for n in names] for part in found["parts"]])
    for part in found["parts"]:
        for remark in part["remarks"]:
            say(f"{part['name']}: {remark}")
    say(f"process {found['pid']} since {found['started_at']} on {found['data']}; together {found['memory_mb']:.0f} MB")

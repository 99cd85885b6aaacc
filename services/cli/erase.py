"""`tellback erase`: takes a person's data out of every service, and shows the receipts."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from services.cli.connection import asking, service_url
from services.cli.console import DataOption, JsonOption, as_json, say, table
from shared.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from shared.http.client import Api, ServiceName

KEEPERS: "tuple[ServiceName, ...]" = ("collector", "scorer", "alerting", "outreach")
"""The services that keep data of people."""
Receipts = dict["ServiceName", dict[str, Any] | None]
"""Service → its receipt; None where it has not answered with one."""
POLL_SECONDS = 0.2


def erase(
    account_id: Annotated[str, typer.Argument(help="The account, as you name it.")],
    stakeholder_id: Annotated[str, typer.Argument(help="The person, by any of their ids.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until every service has done it.")] = 60.0,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a person from every service, for good: answers leave every figure; names, comments and messages go.

    Kafka's log keeps its copies until the time shown at the end, out of reach of every page and call. Backups and what
    webhooks have brought to receivers are yours to look after.

    Exit code 3 when a service has not done it within --wait: it does it as soon as it reads on.
    """
    if not yes:
        typer.confirm(f"Erase everything of {stakeholder_id} at {account_id}, for good?", abort=True)
    receipt, done = asyncio.run(_erased(account_id, stakeholder_id, wait, data))
    if json:
        as_json({"receipt_id": receipt["receipt_id"], "erased_at": receipt["erased_at"], "services": done})
    else:
        _show(receipt, done)
    missing = [service for service, answer in done.items() if not _is_applied(answer)]
    if missing:
        raise Unavailable("erasure_under_way", f"not done yet: {', '.join(missing)}; it follows when they read on")


async def _erased(
    account_id: str, stakeholder_id: str, wait: float, data: Path | None
) -> tuple[dict[str, Any], Receipts]:
    """The collector's receipt, and those of the other services after `wait` seconds at most."""
    urls = {service: service_url(service, data) for service in KEEPERS}
    path = f"/v1/accounts/{quote(account_id, safe='')}/stakeholders/{quote(stakeholder_id, safe='')}/data"
    async with asking(urls, data) as api:
        receipt = await api.delete("collector", path)
        return receipt, await _receipts(api, str(receipt["receipt_id"]), wait)


async def _receipts(api: "Api", receipt_id: str, wait: float) -> Receipts:
    receipts: Receipts = dict.fromkeys(KEEPERS)
    deadline = time.monotonic() + wait
    while True:
        for service in KEEPERS:
            if not _is_applied(receipts[service]):
                receipts[service] = await _receipt(api, service, receipt_id)
        if all(map(_is_applied, receipts.values())) or time.monotonic() >= deadline:
            return receipts
        await asyncio.sleep(POLL_SECONDS)


def _is_applied(receipt: dict[str, Any] | None) -> bool:
    """Whether the service has applied the erasure; a receipt may also say that it is still pending."""
    return receipt is not None and receipt["applied_at"] is not None


async def _receipt(api: "Api", service: "ServiceName", receipt_id: str) -> dict[str, Any] | None:
    """The receipt; None while the service has not read the erasure or does not answer."""
    try:
        return await api.get(service, f"/v1/erasures/{receipt_id}")
    except (NotFound, Unavailable):
        return None


def _show(receipt: dict[str, Any], done: Receipts) -> None:
    stamps = ("receipt_id", "status", "erased_at", "applied_at", "gone_from_log_at")
    rows = []
    ends = []
    for service, answer in done.items():
        if answer is None:
            rows.append((service, "not yet", ""))
            continue
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in answer.items() if name not in stamps]
        rows.append((service, answer["applied_at"] or "waiting, hidden", ", ".join(counts)))
        if answer["gone_from_log_at"]:
            ends.append(answer["gone_from_log_at"])
    say(f"receipt  {receipt['receipt_id']}")
    table(("service", "done", "erased"), rows)
    if ends:
        say(f"Kafka's log holds copies until {max(ends)} at the latest")

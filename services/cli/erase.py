"""`tellback erase`: takes a person's data out of every service, and shows the receipts."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from services.cli.connection import api_key, service_url
from services.cli.console import DataOption, JsonOption, as_json, say, table
from shared.errors import TellbackError, Unavailable

if TYPE_CHECKING:
    import httpx

KEEPERS = ("collector", "scorer", "alerting")
"""The services that keep something of a person."""
POLL_SECONDS = 0.2


def erase(
    account_id: Annotated[str, typer.Argument(help="The account, as you name it.")],
    stakeholder_id: Annotated[str, typer.Argument(help="The person: their id, or address in lower case without one.")],
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
    import httpx

    if not yes:
        typer.confirm(f"Erase everything of {stakeholder_id} at {account_id}, for good?", abort=True)
    headers = {"Authorization": f"Bearer {api_key(data)}"}
    with httpx.Client(headers=headers, timeout=30, trust_env=False) as client:
        path = f"/v1/accounts/{quote(account_id, safe='')}/stakeholders/{quote(stakeholder_id, safe='')}/data"
        receipt = _answer(_asked(client, "DELETE", service_url("collector", data) + path))
        done = _receipts(client, str(receipt["receipt_id"]), wait, data)
    if json:
        as_json({"receipt_id": receipt["receipt_id"], "erased_at": receipt["erased_at"], "services": done})
    else:
        _show(receipt, done)
    missing = [service for service, found in done.items() if not _is_applied(found)]
    if missing:
        raise Unavailable("erasure_under_way", f"not done yet: {', '.join(missing)}; it follows when they read on")


def _receipts(
    client: "httpx.Client", receipt_id: str, wait: float, data: Path | None
) -> dict[str, dict[str, Any] | None]:
    """What each service says of the receipt after `wait` seconds at most; None where it has said nothing."""
    found: dict[str, dict[str, Any] | None] = dict.fromkeys(KEEPERS)
    deadline = time.monotonic() + wait
    while True:
        for service in [service for service, receipt in found.items() if not _is_applied(receipt)]:
            found[service] = _receipt(client, f"{service_url(service, data)}/v1/erasures/{receipt_id}")
        if all(map(_is_applied, found.values())) or time.monotonic() >= deadline:
            return found
        time.sleep(POLL_SECONDS)


def _is_applied(receipt: dict[str, Any] | None) -> bool:
    """Whether the service has done it: it may have said only that it hides the person and tries again."""
    return receipt is not None and receipt["applied_at"] is not None


def _receipt(client: "httpx.Client", address: str) -> dict[str, Any] | None:
    """The receipt, or None while the service has not come so far or does not answer."""
    try:
        answer = _asked(client, "GET", address)
    except Unavailable:
        return None
    return None if answer.status_code in (404, 503) else _answer(answer)


def _asked(client: "httpx.Client", method: str, address: str) -> "httpx.Response":
    import httpx

    try:
        return client.request(method, address)
    except httpx.TransportError:
        raise Unavailable("not_reachable", f"no answer from {address.partition('/v1/')[0]}") from None


def _answer(answer: "httpx.Response") -> dict[str, Any]:
    """The body of a success. Raises what the problem says."""
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        body = {}
    if not answer.is_success:
        kind = Unavailable if answer.status_code == 503 else TellbackError
        raise kind(body.get("code", "refused"), body.get("detail", f"HTTP {answer.status_code}"))
    return body


def _show(receipt: dict[str, Any], done: dict[str, dict[str, Any] | None]) -> None:
    stamps = ("receipt_id", "status", "erased_at", "applied_at", "gone_from_log_at")
    rows = []
    for service, found in done.items():
        counts = {} if found is None else {name: n for name, n in found.items() if name not in stamps}
        what = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        rows.append((service, "not yet" if found is None else found["applied_at"] or "waiting, hidden", what))
    say(f"receipt  {receipt['receipt_id']}")
    table(("service", "done", "erased"), rows)
    if ends := [found["gone_from_log_at"] for found in done.values() if found and found["gone_from_log_at"]]:
        say(f"Kafka's log holds copies until {max(ends)} at the latest")

"""Checks of webhook endpoints: disabled ones, and those whose receiver fails; and of the proxy on the way to them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.alerting.outbound.gateways.proxy import proxy_of
from services.alerting.settings import AlertingSettings
from services.cli.checks import Check, failed, ok, warning
from shared.db.engine import Database
from shared.settings import CommonSettings

SHOWN = 5
PROXY_SECONDS = 5.0
REASONS = {"by_hand": "by hand", "gone": "answered 410", "failing": "only failures for days"}


async def proxy() -> list[Check]:
    """Whether the proxy for webhooks answers; no finding where none is set."""
    settings = AlertingSettings.load()
    found = proxy_of(settings.proxy, settings.no_proxy)
    if found is None:
        return []
    name, way = "alerting: proxy", f"webhooks go through {found.host}:{found.port}"
    try:
        async with asyncio.timeout(PROXY_SECONDS):
            _, writer = await asyncio.open_connection(found.host, found.port)
    except (OSError, TimeoutError):
        return [failed(name, f"{way}, which does not answer", "check TELLBACK_ALERTING_PROXY")]
    writer.close()
    return [ok(name, f"{way}, which answers")]


async def endpoints(common: CommonSettings) -> list[Check]:
    """Whether every endpoint gets its messages; no finding where alerting has never run."""
    async with Database.of(common, "alerting", pool_size=1) as handle, handle.read() as tx:
        if not await tx.has_table("alerting.webhook_endpoints"):
            return []
        rows = await tx.all(
            "select e.endpoint_id, e.status, e.disabled_reason, e.breaker_opened_at is not null as failing,"
            " (select count(*) from webhook_deliveries d where d.endpoint_id = e.endpoint_id"
            " and d.status in ('held', 'pending')) as waiting,"
            " (select count(*) from webhook_deliveries d where d.endpoint_id = e.endpoint_id"
            " and d.status in ('pending', 'sending') and d.last_failure = 'proxy') as at_proxy"
            " from webhook_endpoints e where e.status <> 'deleted' order by e.endpoint_id"
        )
    found = [dict(row) for row in rows]
    return [_verdict(found), *_at_proxy(found)]


def _at_proxy(rows: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Whether messages wait because the proxy failed; no finding where none does."""
    waiting = sum(row["at_proxy"] for row in rows)
    if not waiting:
        return []
    found = f"{waiting} messages wait, since the proxy breaks off or refuses the user; no receiver is at fault"
    fix = "mend the proxy, or correct user and password in TELLBACK_ALERTING_PROXY; then they leave by themselves"
    return [warning("alerting: messages at the proxy", found, fix)]


def _verdict(rows: Sequence[Mapping[str, Any]]) -> Check:
    name = "alerting: webhook endpoints"
    disabled, failing = [], []
    for row in rows:
        if row["status"] == "disabled":
            reason = REASONS[row["disabled_reason"]]
            disabled.append(f"{row['endpoint_id']} is disabled ({reason}){_held(row)}")
        elif row["failing"]:
            failing.append(f"{row['endpoint_id']} fails{_held(row)}")
    faults = disabled + failing
    if not rows:
        return ok(name, "none")
    if not faults:
        return ok(name, f"{len(rows)} enabled")
    shown = faults[:SHOWN]
    if len(faults) > SHOWN:
        shown.append(f"and {len(faults) - SHOWN} more")
    fix = "mend the receiver, then enable the endpoint and recover (docs/webhooks.md)"
    return warning(name, "; ".join(shown), fix)


def _held(row: Mapping[str, Any]) -> str:
    if row["waiting"]:
        return f", {row['waiting']} messages wait"
    return ""

"""Lists of follow-ups: one's own before all others, also where there are more than a page shows."""

import asyncio
from typing import Any

from services.dashboard.domain import follow_ups as told
from shared.http.client import Api

Json = dict[str, Any]
OPEN = ("open", "acknowledged", "in_progress", "snoozed")
MOST = 400


async def own_first(api: Api, email: str, most: int = MOST, **query: Any) -> list[Json]:
    """The first `most` follow-ups in the order that was asked for, one's own before them, the first `most` of these as
    well."""
    asked = [query] if query.get("owner") or "@" not in email else [{**query, "owner": email}, query]
    found = await asyncio.gather(*(api.items("alerting", "/v1/follow-ups", most=most, **one) for one in asked))
    once = {one["follow_up_id"]: one for some in found for one in some}
    return told.own_first(list(once.values()), email)

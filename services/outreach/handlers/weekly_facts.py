"""What the leaders' weekly mail says is asked of the scorer and of alerting, with outreach's own key."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.weekly import OwnerRate, Week
from services.outreach.store import people, response_targets
from shared.api.questions import ACCOUNTS, CHANGES, FOLLOW_UPS, PORTFOLIO_FUNNEL, PORTFOLIO_SCORE, RESPONSES
from shared.clock import rfc3339
from shared.db.engine import Database
from shared.http.client import Api

A_WEEK: Final = timedelta(days=7)
WINDOW: Final = "90d"
MOST: Final = 1_000
_FALLS: Final = ("promoter_to_passive", "promoter_to_detractor", "passive_to_detractor")


async def week_until(now: datetime, api: Api, database: Database) -> Week:
    """What the last seven days brought. Raises what the services answer."""
    since = rfc3339(now - A_WEEK)
    score = (await api.ask(PORTFOLIO_SCORE, window=WINDOW)).groups[0]
    fell, rose = Counter[str](), Counter[str]()
    for change in await api.ask_all(CHANGES, most=MOST, since=since, sort="-changed_at"):
        if change.kind in _FALLS:
            fell[change.account_id] += 1
        elif "_to_" in change.kind:
            rose[change.account_id] += 1
    at_risk = await _accounts_of_class(api, "at_risk")
    silent = await _accounts_of_class(api, "silent")
    overdue = Counter[str]()
    for task in await api.ask_all(FOLLOW_UPS, most=MOST, state="open", due_before=rfc3339(now)):
        if task.reason_holds:
            overdue[task.owner.name or task.owner.email or "nobody"] += 1
    praise = await api.ask_all(RESPONSES, most=MOST, category="promoter", commented=True, from_=since)
    people_who_praise = {(response.account_id, response.stakeholder_id) for response in praise}
    praised = Counter(account_id for account_id, _ in people_who_praise)
    funnels = (await api.ask(PORTFOLIO_FUNNEL, window=WINDOW, group_by="owner")).groups
    before = None
    if score.previous is not None:
        before = score.previous.nps_rounded
    async with database.read() as tx:
        accounts = {*fell, *rose, *praised, *at_risk, *silent}
        names = await people.names_of_accounts(tx, accounts)
        wanted = {row["owner"]: row["target"] for row in await response_targets.listed(tx)}
    rates = []
    for group in funnels:
        owner = group.group["owner"]
        if owner is not None and owner in wanted:
            asked = group.sent_count - group.bounced_count
            rates.append(OwnerRate(owner, asked, group.answered_count, wanted[owner]))
    return Week(
        score.nps_rounded,
        before,
        score.stakeholder_count,
        score.significant,
        fell,
        rose,
        at_risk,
        silent,
        overdue,
        praised,
        names,
        rates,
    )


async def _accounts_of_class(api: Api, name: str) -> list[str]:
    """The ids of the accounts of a class, by when they renew."""
    found = await api.ask_all(ACCOUNTS, most=MOST, class_=name, window=WINDOW, sort="renewal_on")
    return [account.account_id for account in found]

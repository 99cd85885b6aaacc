"""The rules in force."""

from services.alerting.api.models import RuleView
from services.alerting.api.views import rule_view
from services.alerting.store.rules import current_rows
from shared.http.auth import Reader
from shared.http.deps import TheDatabase
from shared.http.paging import Page
from shared.http.routing import Router

router = Router(prefix="/v1/rules", tags=["rules"])


@router.get("", summary="The rules, in the order that breaks ties")
async def list_rules(caller: Reader, database: TheDatabase) -> Page[RuleView]:
    """The newest version of each; all on one page."""
    async with database.read() as tx:
        return Page(items=[rule_view(row) for row in await current_rows(tx)])

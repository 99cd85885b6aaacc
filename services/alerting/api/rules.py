"""Rules: reading them, changing them by versions, and trying them on past events before they are armed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Response

from services.alerting.api.resources import TheService
from services.alerting.api.rules_models import DryRun, DryRunTime, RuleDryRun, RulePatch, VersionedRule
from services.alerting.api.views import dry_run_result, rule_view
from services.alerting.handlers.follow_ups import actor_of
from services.alerting.handlers.rule_changes import RuleChange, Span, compare_rules, found_rule, patch_rule, put_rule
from services.alerting.store.rules import current_rows, current_rules, versions_of
from shared.access.caller import Caller
from shared.api.rules import DryRunResult, RuleView
from shared.db.engine import Database
from shared.errors import Invalid, NotFound
from shared.http.auth import Manager, Reader
from shared.http.deps import TheClock, TheDatabase
from shared.http.if_match import IfMatch, version_seen
from shared.http.paging import Page
from shared.http.routing import Router

router = Router(prefix="/v1/rules", tags=["rules"])
RuleId = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$", description="Names the rule.", examples=["detractor_0_3"])
]
LOOK_BACK = timedelta(days=90)
DRY = DryRun()
DRY_ONE = RuleDryRun()


@router.get("", summary="The rules, in the order that breaks ties")
async def list_rules(caller: Reader, database: TheDatabase) -> Page[RuleView]:
    """The newest version of each; all on one page."""
    async with database.read() as tx:
        return Page(items=[rule_view(row) for row in await current_rows(tx)])


@router.post("/dry-run", summary="Try all rules on past events")
async def dry_run_all(caller: Reader, database: TheDatabase, service: TheService, body: DryRun = DRY) -> DryRunResult:
    """How many follow-ups the rules, with those of the body in their places, would have opened, and which."""
    span = _span(body, caller, service.resources.clock.now())
    given = [rule_body.rule(rule_body.rule_id) for rule_body in body.rules]
    async with database.read() as tx:
        positions = {rule.rule_id: rule.position for rule in await current_rules(tx)}
        last = max(positions.values(), default=0) + 1
        rules = [replace(rule, position=rule.position or positions.get(rule.rule_id, last)) for rule in given]
        trial = await compare_rules(tx, service.resources.policy.calendar, span, rules)
    return dry_run_result(span.since, span.until, trial)


@router.get("/{rule}", summary="A rule as it is in force")
async def get_rule(rule: RuleId, caller: Reader, database: TheDatabase, response: Response) -> RuleView:
    """The ETag is its version."""
    return await _shown(database, rule, response)


@router.get("/{rule}/versions", summary="Every version of a rule")
async def list_versions(rule: RuleId, caller: Reader, database: TheDatabase) -> Page[RuleView]:
    """The newest first; the first is in force."""
    async with database.read() as tx:
        rows = await versions_of(tx, rule)
    if not rows:
        raise NotFound("rule_not_found", "there is no such rule")
    return Page(items=[rule_view(row) for row in rows])


@router.put("/{rule}", summary="Write a rule", responses={201: {"description": "The rule is new."}})
async def write_rule(
    *,
    rule: RuleId,
    body: VersionedRule,
    caller: Manager,
    if_match: IfMatch,
    database: TheDatabase,
    clock: TheClock,
    response: Response,
) -> RuleView:
    """The whole rule, as its next version. Follow-ups that are open keep the rule under which they were opened."""
    change = RuleChange(rule, actor_of(caller), version_seen(body.version, if_match))
    caller.require_all_accounts()
    _, new = await database.retrying(lambda tx: put_rule(tx, clock, change, body.rule(rule)))
    response.status_code = 200
    if new:
        response.status_code = 201
    return await _shown(database, rule, response)


@router.patch("/{rule}", summary="Change a rule, switch it on or off")
async def change_rule(
    *,
    rule: RuleId,
    body: RulePatch,
    caller: Manager,
    if_match: IfMatch,
    database: TheDatabase,
    clock: TheClock,
    response: Response,
) -> RuleView:
    """What is given, as the next version of the rule: `{"enabled": false}` switches it off."""
    change = RuleChange(rule, actor_of(caller), version_seen(body.version, if_match))
    caller.require_all_accounts()
    await database.retrying(lambda tx: patch_rule(tx, clock, change, body.values()))
    return await _shown(database, rule, response)


@router.post("/{rule}/dry-run", summary="Try a rule on past events")
async def dry_run(
    rule: RuleId, caller: Reader, database: TheDatabase, service: TheService, body: RuleDryRun = DRY_ONE
) -> DryRunResult:
    """As if it were switched on, with the changes of the body; counted is what this rule would have decided."""
    span = _span(body, caller, service.resources.clock.now())
    values: dict[str, Any] = {"enabled": True}
    if body.changes is not None:
        values |= body.changes.values()
    async with database.read() as tx:
        changed = replace(found_rule(await current_rules(tx), rule), **values)
        trial = await compare_rules(tx, service.resources.policy.calendar, span, [changed], only=rule)
    return dry_run_result(span.since, span.until, trial)


async def _shown(database: Database, rule_id: str, response: Response) -> RuleView:
    async with database.read() as tx:
        rows = await versions_of(tx, rule_id)
    if not rows:
        raise NotFound("rule_not_found", "there is no such rule")
    response.headers["ETag"] = f'"{rows[0]["version"]}"'
    return rule_view(rows[0])


def _span(body: DryRunTime, caller: Caller, now: datetime) -> Span:
    until = body.until or now
    since = body.since or until - LOOK_BACK
    if since >= until:
        problem = {"field": "since", "code": "invalid_since", "detail": "must be before until"}
        raise Invalid("invalid_since", "must be before until", errors=[problem])
    return Span(since, until, caller.owner_email, body.stays_open)

"""The data of the demo: what there is of them, and their removal by the calls that anybody may make."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.api.calls import DELETE_PROGRAMME, DELETE_SURVEY, ERASE_ACCOUNT
from shared.api.directory import AccountView
from shared.api.questions import ACCOUNT_RECORDS, ACCOUNTS, FOLLOW_UPS, PROGRAMMES, RESPONSES, STAKEHOLDERS, SURVEYS
from shared.api.surveys import SurveyHead
from shared.demo import ATTRIBUTE
from shared.demo import SURVEYS as DEMO_NAMES
from shared.errors import Conflict, NotFound, Unavailable
from shared.http.client import Api, Away, Call

ANY_STATE = "open,acknowledged,in_progress,snoozed,closed"
LOOKS, LOOK_SECONDS = 300, 0.2
BEHIND = "the services have not removed everything yet: it goes on by itself"
Tell = Callable[[int, int], object]
"""Told how many accounts of how many are done."""


@dataclass(frozen=True, slots=True)
class DemoData:
    """What would be removed: the marked accounts with all that hangs on them, and the demo's surveys."""

    accounts: Sequence[AccountView]
    people: int
    answers: int
    follow_ups: int
    surveys: Sequence[SurveyHead]


async def has_demo(api: Api) -> bool:
    """Whether there is an account of the demo; False while the collector does not answer: pages do without the hint."""
    try:
        return bool((await api.ask(ACCOUNT_RECORDS, attribute=ATTRIBUTE, limit=1)).items)
    except Away:
        return False


async def look(api: Api) -> DemoData:
    """What there is of the demo; nothing is changed."""
    accounts = await api.ask_all(ACCOUNT_RECORDS, attribute=ATTRIBUTE)
    people = answers = follow_ups = 0
    for account in accounts:
        account_id = account.account_id
        people += len(await api.ask_all(STAKEHOLDERS, account_id=account_id))
        answers += len(await api.ask_all(RESPONSES, account_id=account_id))
        follow_ups += len(await api.ask_all(FOLLOW_UPS, account_id=account_id, state=ANY_STATE))
    return DemoData(accounts, people, answers, follow_ups, await _surveys(api))


async def remove(api: Api, tell: Tell) -> int:
    """Erase the marked accounts, one after the other, and remove the demo's surveys, and the programmes that ask by
    them, once nobody is asked by them any more; returns how many accounts there were. What fails half-way is done by
    the next try. Raises `Unavailable` where the services do not come to the end in time: they go on by themselves."""
    accounts = await api.ask_all(ACCOUNT_RECORDS, attribute=ATTRIBUTE)
    for done, account in enumerate(accounts):
        tell(done, len(accounts))
        await api.call(ERASE_ACCOUNT, account_id=account.account_id)
    tell(len(accounts), len(accounts))
    await _until_gone(api, {account.account_id for account in accounts})
    surveys = [survey.survey_id for survey in await _surveys(api)]
    if surveys:
        for programme in await api.ask_all(PROGRAMMES):
            if programme.survey_id in surveys:
                await _once_nobody_is_asked(api, DELETE_PROGRAMME, programme_id=programme.programme_id)
    for survey_id in surveys:
        await _once_nobody_is_asked(api, DELETE_SURVEY, survey_id=survey_id)
    return len(accounts)


async def _surveys(api: Api) -> list[SurveyHead]:
    try:
        surveys = await api.ask_all(SURVEYS)
    except Away:
        return []  # a deployment may do without outreach
    return [survey for survey in surveys if survey.name.startswith(DEMO_NAMES)]


async def _once_nobody_is_asked(api: Api, removal: Call[None], **named: str) -> None:
    """Remove a survey or a programme once outreach has erased the accounts that were asked by it. One by which others
    were asked stays."""
    for _ in range(LOOKS):
        try:
            await api.call(removal, **named)
        except NotFound:
            return
        except Conflict:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return


async def _until_gone(api: Api, account_ids: set[str]) -> None:
    """Wait until neither the scorer nor alerting lists anything of the accounts."""
    for _ in range(LOOKS):
        listed = await api.ask_all(ACCOUNTS)
        left = any(account.account_id in account_ids for account in listed)
        if not left and not await _has_follow_ups(api, account_ids):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise Unavailable("demo_behind", BEHIND)


async def _has_follow_ups(api: Api, account_ids: set[str]) -> bool:
    for account_id in account_ids:
        if (await api.ask(FOLLOW_UPS, account_id=account_id, state=ANY_STATE, limit=1)).items:
            return True
    return False

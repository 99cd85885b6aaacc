"""People ask somebody by mail now, as a programme asks: by its survey and sender, in its hours, and past nothing that
forbids a mail."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from services.outreach.domain.asks import NewAsk, PublishedSurvey
from services.outreach.domain.occasions import BY_HAND, LATEST
from services.outreach.handlers.candidates import Named, persons_of, unseen_people
from services.outreach.handlers.links import published_survey
from services.outreach.store import planning, programmes
from services.outreach.store.people import PersonKey
from services.outreach.store.programmes import StoredProgramme
from shared.access.caller import Caller
from shared.db.transaction import WriteTx
from shared.errors import Conflict, NotFound

MOST: Final = 100
"""People of one call: a programme asks more."""


async def ask_by_mail(
    tx: WriteTx, programme_id: str, named: Sequence[Named], caller: Caller, now: datetime, today: date
) -> list[UUID]:
    """Plan an ask for each person, once a day of the supplier; returns them in the order of the people. Raises
    `NotFound`, and `Conflict` for a programme that does not ask now."""
    stored = await programmes.hold(tx, programme_id)
    if stored is None:
        raise NotFound("programme_not_found", "there is no such programme")
    if stored.state != "running":
        raise Conflict("programme_rests", "the programme does not ask now: start it first")
    survey = await published_survey(tx, stored.programme.survey_id)
    persons = list(dict.fromkeys(await persons_of(tx, named, None, caller)))
    if await unseen_people(tx, persons, caller):
        raise NotFound("account_not_found", "there is no such account")
    occasion = f"{BY_HAND}{today.isoformat()}"
    new = [_ask(stored, survey, person, occasion, caller, now) for person in persons]
    await planning.write_new(tx, new)
    there = await planning.asks_of(tx, programme_id, occasion, persons)
    return [there[person] for person in persons]


def _ask(
    stored: StoredProgramme, survey: PublishedSurvey, person: PersonKey, occasion: str, caller: Caller, now: datetime
) -> NewAsk:
    return NewAsk(
        ask_id=uuid4(),
        survey_id=survey.survey_id,
        survey_version=survey.version,
        account_id=person[0],
        stakeholder_id=person[1],
        state="waiting",
        origin="programme",
        channel="email",
        handed_over=False,
        created_at=now,
        created_by=caller.actor,
        due_at=now,
        open_days=stored.programme.open_days,
        programme_id=stored.programme_id,
        occasion=occasion,
        latest_at=now + LATEST,
    )

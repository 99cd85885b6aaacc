"""Answers that an event of the scorer names before they have come themselves: what the event says of them stands until
they do, so that no reason waits for another topic.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.alerting.domain.answers import Kept, Named
from services.alerting.domain.people import Answer
from services.alerting.store.answers import answers_by_id, save_answers
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.scores import AnswerPair, AnswerRef, StakeholderAnswerCorrected, StakeholderAnswered

Key = tuple[str, str]


async def name_answers(tx: WriteTx, events: Sequence[Event]) -> None:
    """Keep what events say of answers that have not come; those that have stand as they are."""
    about = [event.data for event in events if isinstance(event.data, StakeholderAnswered | StakeholderAnswerCorrected)]
    keys = {(data.account_id, ref) for data in about for ref in _named_in(data)}
    if not keys:
        return
    known = await answers_by_id(tx, keys, named=True)
    come = {key for key, kept in known.items() if kept.named is None}
    named: dict[Key, Kept] = {key: kept for key, kept in known.items() if key not in come}
    before = dict(named)
    for data in about:
        for kept in _answered(data) if isinstance(data, StakeholderAnswered) else _corrected(data, named):
            key = (kept.live.account_id, kept.live.response_id)
            if key not in come:
                named[key] = kept
    await save_answers(tx, [kept for key, kept in sorted(named.items()) if before.get(key) != kept])


def _named_in(data: StakeholderAnswered | StakeholderAnswerCorrected) -> list[str]:
    if isinstance(data, StakeholderAnswered):
        return [data.response_id, *([data.previous.response_id] if data.previous else [])]
    refs = [ref for pair in (data.old, data.new) for ref in (pair.latest, pair.previous)]
    return [data.response_id, *(ref.response_id for ref in refs if ref is not None)]


def _answered(data: StakeholderAnswered) -> list[Kept]:
    """The answer, unless a later one is known to the scorer: nothing may open on it."""
    if not data.latest:
        return []
    answer = Answer(
        account_id=data.account_id,
        response_id=data.response_id,
        stakeholder_id=data.stakeholder_id,
        survey_type=data.survey_type,
        score=data.score,
        answered_at=data.answered_at,
        nps_kind=data.nps_kind,
        touchpoint=data.touchpoint,
        product=data.product,
        follow_up_requested=data.follow_up_requested,
    )
    previous_score = data.previous.score if data.previous else None
    return [Kept(answer, answer, data.recorded_at, Named(data.change, previous_score, data.falls_in_a_row))]


def _corrected(data: StakeholderAnswerCorrected, named: dict[Key, Kept]) -> list[Kept]:
    """The pair as it is now; what was withdrawn is an answer no more."""
    pair, found = data.new, []
    gone = named.get((data.account_id, data.response_id))
    if gone is not None and data.cause in ("withdrawn", "erased"):
        found.append(replace(gone, live=replace(gone.live, withdrawn=True)))
    if pair.latest is not None:
        wish = data.follow_up_requested
        latest = _as_in(data, pair.latest, named, fresh=pair.fresh)
        found.append(replace(latest, live=replace(latest.live, follow_up_requested=wish), named=_named(pair)))
    before = named.get((data.account_id, pair.previous.response_id)) if pair.previous else None
    if before is not None and pair.previous is not None:
        found.append(replace(before, live=replace(before.live, score=pair.previous.score)))
    return found


def _as_in(data: StakeholderAnswerCorrected, ref: AnswerRef, named: dict[Key, Kept], *, fresh: bool) -> Kept:
    known = named.get((data.account_id, ref.response_id))
    if known is not None:
        return replace(known, live=replace(known.live, score=ref.score))
    answer = Answer(
        account_id=data.account_id,
        response_id=ref.response_id,
        stakeholder_id=data.stakeholder_id,
        survey_type=data.survey_type,
        score=ref.score,
        answered_at=ref.answered_at,
        nps_kind=data.nps_kind,
        quiet=not fresh,
    )
    return Kept(answer, answer, ref.answered_at)


def _named(pair: AnswerPair) -> Named:
    previous = pair.previous.score if pair.previous else None
    return Named(pair.change, previous, pair.falls_in_a_row)

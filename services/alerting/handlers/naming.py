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
    keys: set[Key] = set()
    for data in about:
        keys.update((data.account_id, response_id) for response_id in _named_in(data))
    if not keys:
        return
    stored = await answers_by_id(tx, keys, named=True)
    have_come = {key for key, kept in stored.items() if kept.named is None}
    named: dict[Key, Kept] = {key: kept for key, kept in stored.items() if key not in have_come}
    before = dict(named)
    for data in about:
        for kept in _answers_of(data, named):
            key = (kept.live.account_id, kept.live.response_id)
            if key not in have_come:
                named[key] = kept
    await save_answers(tx, [kept for key, kept in sorted(named.items()) if before.get(key) != kept])


def _named_in(data: StakeholderAnswered | StakeholderAnswerCorrected) -> list[str]:
    if isinstance(data, StakeholderAnswered):
        refs = [data.previous]
    else:
        refs = [data.old.latest, data.old.previous, data.new.latest, data.new.previous]
    return [data.response_id, *(ref.response_id for ref in refs if ref is not None)]


def _answers_of(data: StakeholderAnswered | StakeholderAnswerCorrected, named: dict[Key, Kept]) -> list[Kept]:
    if isinstance(data, StakeholderAnswered):
        return _answered(data)
    return _corrected(data, named)


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
    previous_score = None
    if data.previous is not None:
        previous_score = data.previous.score
    return [Kept(answer, answer, data.recorded_at, Named(data.change, previous_score, data.falls_in_a_row))]


def _corrected(data: StakeholderAnswerCorrected, named: dict[Key, Kept]) -> list[Kept]:
    """The answers of the pair after a correction, and the corrected answer as withdrawn where it is."""
    pair, answers = data.new, []
    corrected = named.get((data.account_id, data.response_id))
    if corrected is not None and data.cause in ("withdrawn", "erased"):
        answers.append(replace(corrected, live=replace(corrected.live, withdrawn=True)))
    if pair.latest is not None:
        wish = data.follow_up_requested
        latest = _as_in(data, pair.latest, named, fresh=pair.fresh)
        answers.append(replace(latest, live=replace(latest.live, follow_up_requested=wish), named=_named(pair)))
    if pair.previous is not None:
        previous = named.get((data.account_id, pair.previous.response_id))
        if previous is not None:
            answers.append(replace(previous, live=replace(previous.live, score=pair.previous.score)))
    return answers


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
    previous_score = None
    if pair.previous is not None:
        previous_score = pair.previous.score
    return Named(pair.change, previous_score, pair.falls_in_a_row)

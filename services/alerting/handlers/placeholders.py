"""Placeholders for answers that a score event refers to before the topic responses brings them. Rules are evaluated on
the placeholder until the answer comes, so that no follow-up waits for another topic.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.alerting.domain.answers import AnswerKey, Placeholder, StoredAnswer
from services.alerting.domain.people import Answer
from services.alerting.store.answers import answers_by_id, save_answers
from shared.db.transaction import WriteTx
from shared.events.envelope import Event
from shared.events.scores import AnswerPair, AnswerRef, StakeholderAnswerCorrected, StakeholderAnswered


async def save_placeholders(tx: WriteTx, events: Sequence[Event]) -> None:
    """Keep what events say of answers that have not come; those that have stand as they are."""
    payloads = [
        event.data for event in events if isinstance(event.data, StakeholderAnswered | StakeholderAnswerCorrected)
    ]
    keys: set[AnswerKey] = set()
    for data in payloads:
        keys.update((data.account_id, response_id) for response_id in _response_ids(data))
    if not keys:
        return
    found = await answers_by_id(tx, keys, placeholders=True)
    stored_keys = {key for key, stored in found.items() if stored.placeholder is None}
    placeholders: dict[AnswerKey, StoredAnswer] = {
        key: stored for key, stored in found.items() if key not in stored_keys
    }
    before = dict(placeholders)
    for data in payloads:
        for stored in _answers_of(data, placeholders):
            key = (stored.live.account_id, stored.live.response_id)
            if key not in stored_keys:
                placeholders[key] = stored
    await save_answers(tx, [stored for key, stored in sorted(placeholders.items()) if before.get(key) != stored])


def _response_ids(data: StakeholderAnswered | StakeholderAnswerCorrected) -> list[str]:
    if isinstance(data, StakeholderAnswered):
        refs = [data.previous]
    else:
        refs = [data.old.latest, data.old.previous, data.new.latest, data.new.previous]
    return [data.response_id, *(ref.response_id for ref in refs if ref is not None)]


def _answers_of(
    data: StakeholderAnswered | StakeholderAnswerCorrected, placeholders: dict[AnswerKey, StoredAnswer]
) -> list[StoredAnswer]:
    if isinstance(data, StakeholderAnswered):
        return _answered(data)
    return _corrected(data, placeholders)


def _answered(data: StakeholderAnswered) -> list[StoredAnswer]:
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
    return [
        StoredAnswer(answer, answer, data.recorded_at, Placeholder(data.change, previous_score, data.falls_in_a_row))
    ]


def _corrected(data: StakeholderAnswerCorrected, placeholders: dict[AnswerKey, StoredAnswer]) -> list[StoredAnswer]:
    """The answers of the pair after a correction, and the corrected answer as withdrawn where it is."""
    pair, answers = data.new, []
    corrected = placeholders.get((data.account_id, data.response_id))
    if corrected is not None and data.cause in ("withdrawn", "erased"):
        answers.append(replace(corrected, live=replace(corrected.live, withdrawn=True)))
    if pair.latest is not None:
        latest = _corrected_answer(data, pair.latest, placeholders, fresh=pair.fresh)
        answers.append(
            replace(
                latest,
                live=replace(latest.live, follow_up_requested=data.follow_up_requested),
                placeholder=_placeholder(pair),
            )
        )
    if pair.previous is not None:
        previous = placeholders.get((data.account_id, pair.previous.response_id))
        if previous is not None:
            answers.append(replace(previous, live=replace(previous.live, score=pair.previous.score)))
    return answers


def _corrected_answer(
    data: StakeholderAnswerCorrected, ref: AnswerRef, placeholders: dict[AnswerKey, StoredAnswer], *, fresh: bool
) -> StoredAnswer:
    known = placeholders.get((data.account_id, ref.response_id))
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
    return StoredAnswer(answer, answer, ref.answered_at)


def _placeholder(pair: AnswerPair) -> Placeholder:
    previous_score = None
    if pair.previous is not None:
        previous_score = pair.previous.score
    return Placeholder(pair.change, previous_score, pair.falls_in_a_row)

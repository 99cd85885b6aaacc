"""People write surveys: each change is a new revision of the draft, and publishing freezes the draft as a version."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from services.outreach.domain.checks import forbidding
from services.outreach.domain.documents import survey_document, survey_from
from services.outreach.domain.field_reader import MAX_LABEL
from services.outreach.domain.problems import Faulty, FieldProblem
from services.outreach.domain.surveys import Survey
from services.outreach.domain.wordings import changed_wordings
from services.outreach.store import logos
from services.outreach.store import surveys as store
from services.outreach.store.surveys import PublishedVersion, StoredSurvey
from shared.db.transaction import ReadTx, WriteTx
from shared.errors import Conflict, Invalid, NotFound
from shared.http.problem import MAX_FIELD_ERRORS
from shared.ids import uuid7

OF_THE_COMPANY: Final = ("legal", "us", "colour", "logo", "booking_url")
"""What a new survey takes over from the one published last."""


@dataclass(frozen=True, slots=True)
class SurveyChange:
    """Who changes which survey, and when; `revision` is the one they saw, if they say so."""

    survey_id: str
    actor: str
    at: datetime
    revision: int | None = None


async def create_survey(tx: WriteTx, actor: str, at: datetime, begun: Survey | None, given: Mapping[str, Any]) -> str:
    """Store a new draft: `begun` with the fields of its document that are `given`; returns its id. Who asks, and who
    reads the answers, is taken from the survey published last, as far as it is not given. Raises `Invalid`."""
    document: dict[str, Any] = {}
    last = await store.published_last(tx)
    if last is not None:
        told = survey_document(last)
        document = {name: told[name] for name in OF_THE_COMPANY}
    if begun is not None:
        document = survey_document(_as_told_last(begun, last)) | document
    survey_id = _new_id()
    await store.add_survey(tx, survey_id, await _known(tx, _read({**document, **given})), at, actor)
    return survey_id


async def change_survey(tx: WriteTx, change: SurveyChange, given: Mapping[str, Any]) -> None:
    """Replace the `given` fields of the draft's document. A draft that stays as it is makes no revision. Raises
    `NotFound`, `Invalid`, and `Conflict` when the revision seen is stale."""
    stored = await _held(tx, change)
    draft = await _known(tx, _read({**survey_document(stored.draft), **given}))
    if draft != stored.draft:
        await store.change_draft(tx, change.survey_id, draft, change.at, change.actor)


async def duplicate_survey(tx: WriteTx, survey_id: str, actor: str, at: datetime, name: str | None) -> str:
    """Store the draft of a survey once more, under another name; returns the id of the new one."""
    stored = await found_survey(tx, survey_id)
    copied = _new_id()
    name = name or f"Copy of {stored.draft.name}"[:MAX_LABEL]
    await store.add_survey(tx, copied, _read(survey_document(stored.draft) | {"name": name}), at, actor)
    return copied


async def publish_survey(tx: WriteTx, change: SurveyChange) -> PublishedVersion:
    """Freeze the draft as the next version, which new links ask from now on. A draft that is the current version makes
    none. Raises `NotFound`, `Conflict` as a change does, and `Invalid` for a draft that cannot be published."""
    stored = await _held(tx, change)
    if stored.archived:
        raise Conflict("survey_archived", "the survey is archived: bring it back before it is published")
    faults = forbidding(stored.draft)
    if faults:
        raise _invalid("survey_not_ready", "the survey cannot be published yet", faults)
    current = await store.current_version(tx, change.survey_id)
    version = 1
    changed = []
    if current is not None:
        if current.survey == stored.draft:
            return current
        version = current.version + 1
        changed = changed_wordings(current.survey, stored.draft)
    published = PublishedVersion(change.survey_id, version, stored.draft, change.at, change.actor, changed)
    await store.add_version(tx, published)
    return published


async def archive_survey(tx: WriteTx, change: SurveyChange, *, archived: bool) -> None:
    """Ask nobody by the survey any more, or bring it back; links that are out stay as they are. Raises `NotFound`."""
    stored = await _held(tx, change)
    if stored.archived and not archived:
        await store.archive(tx, change.survey_id, None, None)
    if archived and not stored.archived:
        await store.archive(tx, change.survey_id, change.at, change.actor)


async def delete_survey(tx: WriteTx, change: SurveyChange) -> None:
    """Remove a survey by which nobody was asked, with its test mails. Raises `Conflict` for another one."""
    stored = await _held(tx, change)
    if stored.current_version is not None and await store.is_in_use(tx, change.survey_id):
        raise Conflict("survey_in_use", "people were asked by the survey, or a programme asks by it: it stays")
    await store.delete_survey(tx, change.survey_id)


async def found_survey(tx: ReadTx, survey_id: str) -> StoredSurvey:
    """The survey of this id. Raises `NotFound`."""
    return _require(await store.find_survey(tx, survey_id))


async def found_version(tx: ReadTx, survey_id: str, version: int) -> PublishedVersion:
    """A published version. Raises `NotFound`."""
    found = await store.find_version(tx, survey_id, version)
    if found is None:
        raise NotFound("survey_version_not_found", "there is no such version of a survey")
    return found


async def _held(tx: WriteTx, change: SurveyChange) -> StoredSurvey:
    stored = _require(await store.hold_survey(tx, change.survey_id))
    if change.revision not in (None, stored.revision):
        raise Conflict("stale_version", "somebody else changed it meanwhile; read it again")
    return stored


def _require(stored: StoredSurvey | None) -> StoredSurvey:
    if stored is None:
        raise NotFound("survey_not_found", "there is no such survey")
    return stored


def _as_told_last(begun: Survey, last: Survey | None) -> Survey:
    """The survey, saying who reads the answers as the one published last does, in the languages that both have."""
    if last is None:
        return begun
    texts = dict(begun.texts)
    for language in texts.keys() & last.texts.keys():
        told = last.texts[language]
        fallbacks = {**told.fallbacks, **texts[language].fallbacks}
        texts[language] = replace(texts[language], who_reads=told.who_reads, fallbacks=fallbacks)
    return replace(begun, texts=texts)


async def _known(tx: ReadTx, survey: Survey) -> Survey:
    """The survey. Raises `Invalid` where its logo was never uploaded."""
    if survey.logo is not None and await logos.find(tx, survey.logo) is None:
        problem = FieldProblem("logo", "unknown_logo", "there is no such logo: upload it first")
        raise _invalid("invalid_survey", "the survey breaks the rules of its fields", [problem])
    return survey


def _read(document: Mapping[str, Any]) -> Survey:
    try:
        return survey_from(document)
    except Faulty as faulty:
        raise _invalid("invalid_survey", "the survey breaks the rules of its fields", faulty.problems) from None


def _invalid(code: str, detail: str, problems: "tuple[FieldProblem, ...] | list[FieldProblem]") -> Invalid:
    if len(problems) > MAX_FIELD_ERRORS:
        detail += f"; the first {MAX_FIELD_ERRORS} of {len(problems)} are listed"
    errors = [problem.document() for problem in problems[:MAX_FIELD_ERRORS]]
    return Invalid(code, detail, errors=errors)


def _new_id() -> str:
    return f"srv_{uuid7().hex}"

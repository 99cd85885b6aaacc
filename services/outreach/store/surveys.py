"""Surveys and their published versions as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.outreach.domain.documents import survey_document, survey_from
from services.outreach.domain.surveys import Survey
from services.outreach.domain.wordings import ChangedWording
from shared.db.transaction import ReadTx, WriteTx

_HEAD = """
    s.survey_id, s.name, s.revision, s.current_version, s.created_at, s.created_by, s.updated_at, s.updated_by,
    s.archived_at, s.archived_by,
    case when s.current_version is null then 'draft' else 'published' end as state,
    s.draft is distinct from v.document as has_changes,
    s.draft ->> 'metric' as metric, s.draft ->> 'nps_kind' as nps_kind, s.draft ->> 'touchpoint' as touchpoint,
    s.draft ->> 'product' as product, s.draft ->> 'default_language' as default_language,
    array(select jsonb_object_keys(s.draft -> 'texts') order by 1) as languages,
    v.published_at, v.published_by
    from surveys s left join survey_versions v on v.survey_id = s.survey_id and v.version = s.current_version
"""
_VERSION = (
    "select survey_id, version, document, changed_wordings, published_at, published_by from survey_versions"
    " where survey_id = :survey_id"
)


@dataclass(frozen=True, slots=True)
class StoredSurvey:
    """A survey with its draft. `head`: what lists say of it, by column."""

    head: Mapping[str, Any]
    draft: Survey

    @property
    def revision(self) -> int:
        """Of the draft."""
        return int(self.head["revision"])

    @property
    def current_version(self) -> int | None:
        """The version published last, None for a survey that never was."""
        version: int | None = self.head["current_version"]
        return version

    @property
    def archived(self) -> bool:
        """Whether nobody is asked by it any more."""
        return self.head["archived_at"] is not None


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A version of a survey, as it was published."""

    survey_id: str
    version: int
    survey: Survey
    published_at: datetime
    published_by: str
    changed_wordings: Sequence[ChangedWording] = ()


async def list_surveys(tx: ReadTx, after: tuple[datetime, str] | None, limit: int) -> list[dict[str, Any]]:
    """The heads of surveys, the newest first; those `after` a time of creation and an id."""
    condition, position = "", {}
    if after is not None:
        condition = "where (s.created_at, s.survey_id) < (:created_at, :survey_id)"
        position = {"created_at": after[0], "survey_id": after[1]}
    rows = await tx.all(
        f"select {_HEAD} {condition} order by s.created_at desc, s.survey_id desc limit :limit",
        limit=limit,
        **position,
    )
    return [dict(row) for row in rows]


async def find_survey(tx: ReadTx, survey_id: str) -> StoredSurvey | None:
    """A survey with its draft."""
    row = await tx.one(f"select s.draft, {_HEAD} where s.survey_id = :survey_id", survey_id=survey_id)
    if row is None:
        return None
    head = dict(row)
    return StoredSurvey(head, survey_from(head.pop("draft")))


async def hold_survey(tx: WriteTx, survey_id: str) -> StoredSurvey | None:
    """A survey with its draft, which nobody else changes until the end of the transaction."""
    await tx.scalar("select 1 from surveys where survey_id = :survey_id for update", survey_id=survey_id)
    return await find_survey(tx, survey_id)


async def add_survey(tx: WriteTx, survey_id: str, draft: Survey, at: datetime, by: str) -> None:
    """Store a new survey."""
    await tx.execute(
        "insert into surveys (survey_id, name, draft, created_at, created_by, updated_at, updated_by)"
        " values (:survey_id, :name, cast(:draft as jsonb), :at, :by, :at, :by)",
        survey_id=survey_id,
        name=draft.name,
        draft=survey_document(draft),
        at=at,
        by=by,
    )


async def change_draft(tx: WriteTx, survey_id: str, draft: Survey, at: datetime, by: str) -> None:
    """Store another draft as the next revision."""
    await tx.execute(
        "update surveys set name = :name, draft = cast(:draft as jsonb), revision = revision + 1, updated_at = :at,"
        " updated_by = :by where survey_id = :survey_id",
        survey_id=survey_id,
        name=draft.name,
        draft=survey_document(draft),
        at=at,
        by=by,
    )


async def archive(tx: WriteTx, survey_id: str, at: datetime | None, by: str | None) -> None:
    """Archive a survey; without a moment, bring it back."""
    await tx.execute(
        "update surveys set archived_at = :at, archived_by = :by where survey_id = :survey_id",
        survey_id=survey_id,
        at=at,
        by=by,
    )


async def is_in_use(tx: ReadTx, survey_id: str) -> bool:
    """Whether people were asked by the survey, test mails apart, or a programme asks by it."""
    return bool(
        await tx.scalar(
            "select exists (select from asks where survey_id = :survey_id and origin <> 'test')"
            " or exists (select from business_reviews where survey_id = :survey_id)"
            " or exists (select from programmes where document ->> 'survey_id' = :survey_id)",
            survey_id=survey_id,
        )
    )


async def delete_survey(tx: WriteTx, survey_id: str) -> None:
    """Remove a survey with its versions and test mails."""
    for table in ("asks", "survey_versions", "surveys"):
        await tx.execute(f"delete from {table} where survey_id = :survey_id", survey_id=survey_id)


async def add_version(tx: WriteTx, published: PublishedVersion) -> None:
    """Store a version and make it the current one."""
    await tx.execute(
        "insert into survey_versions (survey_id, version, document, changed_wordings, published_at, published_by)"
        " values (:survey_id, :version, cast(:document as jsonb), cast(:changed_wordings as jsonb), :at, :by)",
        survey_id=published.survey_id,
        version=published.version,
        document=survey_document(published.survey),
        changed_wordings=[asdict(changed) for changed in published.changed_wordings],
        at=published.published_at,
        by=published.published_by,
    )
    await tx.execute(
        "update surveys set current_version = :version where survey_id = :survey_id",
        survey_id=published.survey_id,
        version=published.version,
    )


async def find_version(tx: ReadTx, survey_id: str, version: int) -> PublishedVersion | None:
    """A published version."""
    row = await tx.one(f"{_VERSION} and version = :version", survey_id=survey_id, version=version)
    if row is None:
        return None
    return _version(row)


async def current_version(tx: ReadTx, survey_id: str) -> PublishedVersion | None:
    """The version that new links ask; None where there is no such survey or it was never published."""
    row = await tx.one(f"{_VERSION} order by version desc limit 1", survey_id=survey_id)
    if row is None:
        return None
    return _version(row)


async def list_versions(tx: ReadTx, survey_id: str, before: int | None, limit: int) -> list[PublishedVersion]:
    """The versions of a survey, the newest first; those `before` a version."""
    rows = await tx.all(
        f"{_VERSION} and version < coalesce(:before, 2147483647) order by version desc limit :limit",
        survey_id=survey_id,
        before=before,
        limit=limit,
    )
    return list(map(_version, rows))


async def languages_of_people(tx: ReadTx) -> list[str]:
    """The languages of everybody who can be asked: their own, else their account's; as the directory has them."""
    found = await tx.column(
        "select distinct coalesce(s.record ->> 'language', a.record ->> 'language') as language from stakeholders s"
        " left join accounts a using (account_id) where not s.removed and a.removed is not true order by 1"
    )
    return [language for language in found if language is not None]


async def published_last(tx: ReadTx) -> Survey | None:
    """The survey that was published last of all."""
    row = await tx.one("select document from survey_versions order by published_at desc, survey_id desc limit 1")
    if row is None:
        return None
    return survey_from(row["document"])


def _version(row: RowMapping) -> PublishedVersion:
    changed = [ChangedWording(**wording) for wording in row["changed_wordings"]]
    survey = survey_from(row["document"])
    return PublishedVersion(row["survey_id"], row["version"], survey, row["published_at"], row["published_by"], changed)

"""Business reviews: the copy for the client, what was said and done, and who was given a link."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.outreach.domain.reviews import TOUCHPOINT, Copied
from shared.db.erasures import visible
from shared.db.transaction import ReadTx, WriteTx

_REVIEW = """
    r.review_id, r.account_id, a.name as account_name, r.survey_id, r.survey_version, r.held_on, r.intro, r.pack,
    r.created_at, r.created_by, r.closes_at, r.withdrawn_at, counts.recipient_count, counts.opened_count,
    counts.answered_count"""
_FROM = f"""
    from business_reviews r left join accounts a using (account_id),
    lateral (select count(*) as recipient_count, count(coalesce(k.opened_at, k.started_at)) as opened_count,
        count(k.answered_at) as answered_count
        from asks k where k.review_id = r.review_id and {visible("k")}) as counts"""
Row = Mapping[str, Any]
"""A row by its columns."""
_OWN = "(cast(:owner_email as text) is null or a.owner_email = :owner_email)"


@dataclass(frozen=True, slots=True)
class NewReview:
    """A business review that is being made."""

    review_id: UUID
    account_id: str
    survey_id: str
    survey_version: int
    held_on: date
    intro: str | None
    created_at: datetime
    created_by: str
    closes_at: datetime


async def account_exists(tx: ReadTx, account_id: str, owner_email: str | None) -> bool:
    """Whether an account is there and the caller's."""
    statement = f"select exists (select from accounts a where a.account_id = :account_id and not a.removed and {_OWN})"
    return bool(await tx.scalar(statement, account_id=account_id, owner_email=owner_email))


async def names_at(tx: ReadTx, account_id: str) -> list[str]:
    """Names, ids and addresses of the people of an account, also of those who were removed."""
    rows = await tx.rows(
        "select stakeholder_id, name, email from stakeholders where account_id = :account_id"
        " union all select alias_id, null, null from aliases where account_id = :account_id",
        account_id=account_id,
    )
    return [name for row in rows for name in row if name]


async def people_at(tx: ReadTx, account_id: str, ids: Sequence[str]) -> dict[str, str | None]:
    """Which of these the directory lists at the account: stakeholder_id -> address."""
    rows = await tx.rows(
        "select s.stakeholder_id, s.email from stakeholders s where s.account_id = :account_id and not s.removed"
        f" and s.stakeholder_id = any(cast(:ids as text[])) and {visible('s')}",
        account_id=account_id,
        ids=list(ids),
    )
    return {stakeholder_id: email for stakeholder_id, email in rows}


async def last_published(tx: ReadTx) -> str | None:
    """The survey for business reviews that was published last and is not archived."""
    survey_id: str | None = await tx.scalar(
        "select v.survey_id from survey_versions v join surveys s using (survey_id)"
        " where v.document ->> 'touchpoint' = :touchpoint and s.archived_at is null"
        " order by v.published_at desc, v.survey_id desc limit 1",
        touchpoint=TOUCHPOINT,
    )
    return survey_id


async def insert(tx: WriteTx, review: NewReview, copied: Copied, warnings: Sequence[str]) -> bool:
    """Write a review with its excerpts; its asks are written by who makes them. False where it is there already."""
    added = await tx.execute(
        "insert into business_reviews (review_id, account_id, survey_id, survey_version, held_on, intro, pack,"
        " created_at, created_by, closes_at) values (:review_id, :account_id, :survey_id, :survey_version, :held_on,"
        " :intro, cast(:pack as jsonb), :created_at, :created_by, :closes_at) on conflict (review_id) do nothing",
        review_id=review.review_id,
        account_id=review.account_id,
        survey_id=review.survey_id,
        survey_version=review.survey_version,
        held_on=review.held_on,
        intro=review.intro,
        pack={**copied.figures, "warnings": list(warnings)},
        created_at=review.created_at,
        created_by=review.created_by,
        closes_at=review.closes_at,
    )
    if not added:
        return False
    rows = []
    for entry, excerpt in enumerate(copied.excerpts):
        rows.append(
            {
                "review_id": review.review_id,
                "entry": entry,
                "kind": excerpt.kind,
                "account_id": review.account_id,
                "stakeholder_id": excerpt.stakeholder_id,
                "content": dict(excerpt.content),
            }
        )
    await tx.execute_many(
        "insert into review_excerpts (review_id, entry, kind, account_id, stakeholder_id, content) values (:review_id,"
        " :entry, :kind, :account_id, :stakeholder_id, cast(:content as jsonb))",
        rows,
    )
    return True


async def find(tx: ReadTx, review_id: UUID, owner_email: str | None) -> Row | None:
    """One review; None also for somebody else's account."""
    row = await tx.one(
        f"select {_REVIEW} {_FROM} where r.review_id = :review_id and {_OWN}",
        review_id=review_id,
        owner_email=owner_email,
    )
    return _row(row)


async def listed(
    tx: ReadTx, account_id: str | None, owner_email: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row]:
    """A page of reviews, the newest first, behind the position `after`."""
    where = [_OWN]
    params: dict[str, Any] = {"owner_email": owner_email, "limit": limit}
    if account_id is not None:
        where.append("r.account_id = :account_id")
        params["account_id"] = account_id
    if after is not None:
        where.append("(r.created_at, r.review_id) < (:after_at, :after_id)")
        params |= {"after_at": after[0], "after_id": after[1]}
    rows = await tx.all(
        f"select {_REVIEW} {_FROM} where {' and '.join(where)} order by r.created_at desc, r.review_id desc"
        " limit :limit",
        **params,
    )
    return [dict(row) for row in rows]


async def excerpts_of(tx: ReadTx, review_id: UUID) -> Sequence[Row]:
    """(kind, content) of what was said and done, in its order, without those of people who wait to be erased."""
    rows = await tx.all(
        f"select kind, content from review_excerpts where review_id = :review_id and {visible('review_excerpts')}"
        " order by entry",
        review_id=review_id,
    )
    return [dict(row) for row in rows]


async def recipients_of(tx: ReadTx, review_id: UUID) -> Sequence[Row]:
    """The asks of a review, in their order by person, with the person's name and what became of each."""
    rows = await tx.all(
        "select k.ask_id, k.stakeholder_id, s.name, k.withdrawn_at, k.answered_at,"
        " coalesce(k.opened_at, k.started_at) as opened_at from asks k"
        " left join stakeholders s using (account_id, stakeholder_id)"
        f" where k.review_id = :review_id and {visible('k')} order by k.stakeholder_id",
        review_id=review_id,
    )
    return [dict(row) for row in rows]


async def page_of(tx: ReadTx, ask_id: UUID) -> Row | None:
    """What the page of an ask shows of its review; None for an ask that is gone or belongs to none."""
    row = await tx.one(
        "select r.review_id, r.held_on, r.intro, r.pack, r.closes_at, r.withdrawn_at"
        " from asks k join business_reviews r on r.review_id = k.review_id"
        f" where k.ask_id = :ask_id and {visible('k')}",
        ask_id=ask_id,
    )
    return _row(row)


async def withdraw(tx: WriteTx, review_id: UUID, now: datetime) -> bool:
    """Take a review back; False where it was before."""
    statement = "update business_reviews set withdrawn_at = :now where review_id = :review_id and withdrawn_at is null"
    return await tx.execute(statement, review_id=review_id, now=now) > 0


async def open_asks(tx: ReadTx, review_id: UUID) -> Sequence[Row]:
    """(ask_id, account_id, stakeholder_id, answered_at) of those whose links still work, locked."""
    rows = await tx.all(
        "select ask_id, account_id, stakeholder_id, answered_at from asks where review_id = :review_id"
        " and state = 'sent' and withdrawn_at is null and expired_at is null order by ask_id for update",
        review_id=review_id,
    )
    return [dict(row) for row in rows]


async def note_opening(tx: WriteTx, ask_id: UUID, now: datetime) -> Row | None:
    """Note that somebody has opened the page of an ask that is open; the ask as it is told of. None where that was
    noted before, or where the page has ended."""
    row = await tx.one(
        "update asks k set opened_at = :now from business_reviews r where k.ask_id = :ask_id"
        " and r.review_id = k.review_id and k.opened_at is null and k.withdrawn_at is null and r.withdrawn_at is null"
        " and r.closes_at > :now returning k.account_id, k.stakeholder_id, k.survey_id, k.channel",
        ask_id=ask_id,
        now=now,
    )
    return _row(row)


async def take_back(tx: WriteTx, key: str) -> bool:
    """Take a call back that nobody has begun to make; False where it was begun, or is not there."""
    statement = "delete from outgoing where key = :key and state = 'waiting' and attempts = 0"
    return await tx.execute(statement, key=key) > 0


async def forget(tx: WriteTx, account_id: str, ids: Collection[str]) -> int:
    """Delete what goes back to a person with these ids. Returns how many excerpts that were."""
    return await tx.execute(
        "delete from review_excerpts where account_id = :account_id and stakeholder_id = any(cast(:ids as text[]))",
        account_id=account_id,
        ids=list(ids),
    )


async def names_of(tx: ReadTx, account_id: str, ids: Collection[str]) -> list[str]:
    """Ids, names and addresses of a person with these ids."""
    rows = await tx.rows(
        "select name, email from stakeholders where account_id = :account_id"
        " and stakeholder_id = any(cast(:ids as text[]))",
        account_id=account_id,
        ids=list(ids),
    )
    return [*ids, *[name for row in rows for name in row if name]]


async def intros_of(tx: ReadTx, account_id: str) -> Sequence[tuple[UUID, str]]:
    """(review_id, introduction) of the reviews of an account that have one."""
    rows = await tx.rows(
        "select review_id, intro from business_reviews where account_id = :account_id and intro is not null",
        account_id=account_id,
    )
    return [(row[0], row[1]) for row in rows]


async def set_intro(tx: WriteTx, review_id: UUID, intro: str) -> None:
    """Replace the introduction of a review."""
    await tx.execute(
        "update business_reviews set intro = :intro where review_id = :review_id", review_id=review_id, intro=intro
    )


def content_of(row: Row, excerpts: Sequence[Row]) -> dict[str, Any]:
    """The whole copy of a review, figures and excerpts, from its rows."""
    copy = {name: value for name, value in row["pack"].items() if name != "warnings"}
    for kind in ("said", "done"):
        copy[kind] = [excerpt["content"] for excerpt in excerpts if excerpt["kind"] == kind]
    return copy


def _row(row: Mapping[Any, Any] | None) -> Row | None:
    if row is None:
        return None
    return dict(row)

"""Asks as the page sees them: what was asked of whom, and what has been answered so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from shared.db.transaction import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """One ask with the person it is for. `answer` is the document of `domain.answering`; None while there is none.
    `answer_due_at`: when what was added to an answer is to be told; None where all is told. `person_language`: of the
    person, else of the account."""

    ask_id: UUID
    survey_id: str
    survey_version: int
    account_id: str
    stakeholder_id: str
    address_hash: bytes | None
    address_key_id: str | None
    origin: str
    state: str
    channel: str
    language: str | None
    sent_at: datetime | None
    closes_at: datetime | None
    started_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None
    expired_at: datetime | None
    withdrawn_at: datetime | None
    revision: int
    answer: Mapping[str, Any] | None
    answer_due_at: datetime | None
    name: str | None
    account_name: str | None
    sender_name: str | None
    person_language: str | None
    person_type: str | None
    booking_url: str | None
    open_days: int

    @property
    def test(self) -> bool:
        """Whether it counts nowhere."""
        return self.origin == "test"


_COLUMNS = """
    a.ask_id, a.survey_id, a.survey_version, a.account_id, a.stakeholder_id, a.address_hash, a.address_key_id,
    a.origin, a.state, a.channel, a.language, a.sent_at, a.closes_at, a.started_at, a.answered_at, a.finished_at,
    a.expired_at, a.withdrawn_at, a.revision, a.answer, a.answer_due_at, s.name, c.name as account_name,
    coalesce(c.sponsor_name, c.owner_name) as sender_name,
    coalesce(s.record ->> 'language', c.record ->> 'language') as person_language,
    s.type as person_type, c.record -> 'attributes' ->> 'booking_url' as booking_url, a.open_days
"""
_FROM = """
    from asks a
    left join stakeholders s on s.account_id = a.account_id and s.stakeholder_id = a.stakeholder_id and not s.removed
    left join accounts c on c.account_id = a.account_id
"""
_ASK = f"select {_COLUMNS} {_FROM}"
_ASK_AND_KNOWN = f"""
    select {_COLUMNS}, (
        select jsonb_object_agg(question_id, answers) from (
            select question_id, count(*) as answers from (
                select coalesce(o.answered_questions,
                    array(select jsonb_object_keys(o.answer -> 'values'))) as questions
                from asks o where o.account_id = a.account_id and o.ask_id <> a.ask_id and o.origin <> 'test'
                    and (o.answer is not null or o.answered_questions is not null)
                order by o.created_at desc limit :newest
            ) as given, unnest(given.questions) as question_id group by 1
        ) as counted
    ) as known {_FROM} where a.ask_id = :ask_id
"""


async def find_ask(tx: ReadTx, ask_id: UUID) -> OpenAsk | None:
    """The ask of a link; None for one that was erased."""
    return _ask(await tx.one(f"{_ASK} where a.ask_id = :ask_id", ask_id=ask_id))


async def find_ask_and_known(tx: ReadTx, ask_id: UUID, newest: int) -> tuple[OpenAsk, Mapping[str, int]] | None:
    """The ask of a link, and question -> how many of so many newest answers of its account answer it, its own left
    out; None for an ask that was erased. One statement."""
    row = await tx.one(_ASK_AND_KNOWN, ask_id=ask_id, newest=newest)
    if row is None:
        return None
    columns = dict(row)
    known = columns.pop("known") or {}
    return OpenAsk(**columns), known


async def lock_ask(tx: WriteTx, ask_id: UUID) -> OpenAsk | None:
    """The ask of a link, locked until the end of the transaction, so that two tabs take turns; None for one that was
    erased."""
    return _ask(await tx.one(f"{_ASK} where a.ask_id = :ask_id for update of a", ask_id=ask_id))


async def lock_due(tx: WriteTx, now: datetime, limit: int) -> list[OpenAsk]:
    """Asks whose answer has grown and rested long enough, locked; those that another process works on are left out."""
    rows = await tx.all(
        f"{_ASK} where a.answer_due_at <= :now order by a.answer_due_at limit :limit for update of a skip locked",
        now=now,
        limit=limit,
    )
    return [OpenAsk(**row) for row in rows]


async def save_answer(tx: WriteTx, ask: OpenAsk) -> None:
    """Write what the page may change of an ask."""
    await tx.execute(
        "update asks set state = :state, sent_at = :sent_at, closes_at = :closes_at, started_at = :started_at,"
        " answered_at = :answered_at, finished_at = :finished_at, revision = :revision,"
        " answer = cast(:answer as jsonb), answer_due_at = :answer_due_at where ask_id = :ask_id",
        state=ask.state,
        sent_at=ask.sent_at,
        closes_at=ask.closes_at,
        started_at=ask.started_at,
        answered_at=ask.answered_at,
        finished_at=ask.finished_at,
        revision=ask.revision,
        answer=ask.answer,
        answer_due_at=ask.answer_due_at,
        ask_id=ask.ask_id,
    )


async def note_sent(tx: WriteTx, ask_id: UUID, now: datetime) -> None:
    """Note in the history of an ask that its link is in use, whoever handed it over."""
    await tx.execute(
        "insert into ask_changes (ask_id, at, state, actor) values (:ask_id, :now, 'sent', 'page')",
        ask_id=ask_id,
        now=now,
    )


async def answer_told(tx: WriteTx, ask_ids: Sequence[UUID]) -> None:
    """Nothing of these answers waits to be told any more."""
    await tx.execute(
        "update asks set answer_due_at = null where ask_id = any(cast(:ask_ids as uuid[]))", ask_ids=list(ask_ids)
    )


async def lock_asks_of(tx: WriteTx, hashes: Collection[bytes]) -> list[OpenAsk]:
    """The asks of an address, by its hash under each key, whose links take answers, and that have not been objected to,
    locked."""
    rows = await tx.all(
        f"{_ASK} where a.address_hash = any(cast(:hashes as bytea[])) and a.state = 'sent' and a.expired_at is null"
        " and a.withdrawn_at is null and a.unsubscribed_at is null order by a.ask_id for update of a",
        hashes=sorted(hashes),
    )
    return [OpenAsk(**row) for row in rows]


async def key_of_hash(tx: ReadTx, address_hash: bytes) -> str | None:
    """The id of the key under which asks have this hash; None where no ask says so."""
    key_id: str | None = await tx.scalar(
        "select address_key_id from asks where address_hash = :address_hash and address_key_id is not null limit 1",
        address_hash=address_hash,
    )
    return key_id


async def addresses_asked(tx: ReadTx, address_hash: bytes) -> Sequence[str]:
    """The addresses that the directory has now of people who were asked at this one."""
    return await tx.column(
        "select distinct s.email from asks a join stakeholders s on s.account_id = a.account_id"
        " and s.stakeholder_id = a.stakeholder_id where a.address_hash = :address_hash and s.email is not null",
        address_hash=address_hash,
    )


async def lock_ended(tx: WriteTx, now: datetime, limit: int) -> list[OpenAsk]:
    """Asks that were sent and have ended since, by time or because they were withdrawn, locked; those that another
    process works on are left out."""
    rows = await tx.all(
        f"{_ASK} where a.state = 'sent' and a.expired_at is null and least(a.closes_at, a.withdrawn_at) <= :now"
        " order by least(a.closes_at, a.withdrawn_at) limit :limit for update of a skip locked",
        now=now,
        limit=limit,
    )
    return [OpenAsk(**row) for row in rows]


async def mark_objected(tx: WriteTx, ask_ids: Sequence[UUID], now: datetime) -> None:
    """Note on asks that the person objected."""
    await tx.execute(
        "update asks set unsubscribed_at = :now where ask_id = any(cast(:ask_ids as uuid[]))",
        ask_ids=list(ask_ids),
        now=now,
    )


async def mark_ended(tx: WriteTx, ask_ids: Sequence[UUID], now: datetime) -> None:
    """Note that these asks take no answers any more."""
    await tx.execute(
        "update asks set expired_at = :now where ask_id = any(cast(:ask_ids as uuid[]))",
        ask_ids=list(ask_ids),
        now=now,
    )


async def is_withdrawn(tx: ReadTx, account_id: str, response_id: str) -> bool:
    """Whether the response was withdrawn since."""
    found = await tx.scalar(
        "select withdrawn from answers where account_id = :account_id and response_id = :response_id",
        account_id=account_id,
        response_id=response_id,
    )
    return bool(found)


def _ask(row: RowMapping | None) -> OpenAsk | None:
    if row is None:
        return None
    return OpenAsk(**row)

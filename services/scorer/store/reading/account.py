"""One account: is it there, and what its figures are made of."""

from collections.abc import Collection, Iterable, Sequence
from itertools import starmap
from typing import Any, Final

from sqlalchemy import RowMapping

from services.scorer.domain.answers import Answer, History
from services.scorer.domain.counts import AccountFacts, Known
from services.scorer.domain.invitations import Invitation, Reply
from services.scorer.domain.questions import OF_INVITATION, Filters
from services.scorer.domain.windows import Span
from services.scorer.store.reading.pool import LIVE, answers_of, conditions, joins, parameters
from shared.db.sql import comma_list
from shared.db.transaction import ReadTx
from shared.errors import NotFound

_SEEN = """case when cast(:owner_email as text) is null then
        exists (select from accounts where account_id = :account_id)
        or exists (select from responses where account_id = :account_id)
        or exists (select from stakeholders where account_id = :account_id)
        or exists (select from invitations where account_id = :account_id)
        or exists (select from context_marks where account_id = :account_id)
    else
        exists (select from accounts where account_id = :account_id and owner_email = :owner_email)
    end"""
"""Whether anything is known of the account and the caller may see it."""
_FIRST_ANSWERS = f"""
    select r.stakeholder_id, min(r.answered_at) as first_answered from responses r
    where {LIVE} and r.account_id = :account_id group by r.stakeholder_id
"""


def unknown_account() -> NotFound:
    """One error for an account that is not there and for one that is not this caller's to see."""
    return NotFound("unknown_account", "there is no such account")


async def require_account(tx: ReadTx, account_id: str, owner_email: str | None) -> None:
    """Raises `NotFound` unless anything is known of the account and the caller may see it."""
    if not await tx.scalar(f"select {_SEEN}", account_id=account_id, owner_email=owner_email):
        raise unknown_account()


async def accounts_of_owner(tx: ReadTx, account_ids: Collection[str], owner_email: str) -> set[str]:
    """Those of the accounts that this owner has."""
    found = await tx.column(
        "select account_id from accounts where owner_email = :owner_email and account_id = any(cast(:ids as text[]))",
        owner_email=owner_email,
        ids=list(account_ids),
    )
    return set(found)


async def account_facts(
    tx: ReadTx, account_id: str, owner_email: str | None, filters: Filters, *, answers: Span, invitations: Span
) -> AccountFacts:
    """What the figures of an account are made of, with the answers and the invitations of these spans, in one
    statement. Raises `NotFound` as `require_account` does."""
    row = await tx.one(
        f"select {_SEEN} as seen, (select failed_at from dirty_accounts where account_id = :account_id) as stale_since,"
        " people.*, said.*, asked.*"
        f" from ({_people(filters)}) people, ({_said(filters)}) said, ({_asked(filters)}) asked",
        **dict(parameters(filters, None))
        | {
            "account_id": account_id,
            "owner_email": owner_email,
            "answered_after": answers.after,
            "answered_upto": answers.upto,
            "sent_after": invitations.after,
            "sent_upto": invitations.upto,
        },
    )
    if row is None or not row["seen"]:
        raise unknown_account()
    invited = [dict(zip(_INVITATION, values, strict=True)) for values in _columns(row, "i_", _INVITATION)]
    return AccountFacts(
        History(starmap(Answer, _columns(row, "a_", _ANSWER))),
        invitations_from(invited),
        Known(row["in_directory"], row["first_answered"] or ()),
        row["stale_since"],
    )


_ANSWER: Final = ("response_id", "stakeholder_id", "answered_at", "score", "question_id")
_INVITATION: Final = (
    *("invitation_id", "given_stakeholder_id", "stakeholder_id", "sent_at", "delivered_at", "opened_at", "started_at"),
    *("bounced_at", "withdrawn_at", "answered_at", "commented", "follow_up_requested"),
)


def _columns(row: RowMapping, prefix: str, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    """The rows that the statement returned as one, an array a column."""
    return zip(*(row[f"{prefix}{name}"] or () for name in names), strict=True)


def _said(filters: Filters) -> str:
    return (
        f"select {comma_list('array_agg({0}) as a_{0}', _ANSWER)} from ("
        "select r.response_id, r.stakeholder_id, r.answered_at, r.score, r.question_id"
        f" from {answers_of(filters.survey_type)}{joins(filters, None)}"
        " where r.account_id = :account_id and r.answered_at > :answered_after and r.answered_at <= :answered_upto"
        f"{conditions(filters, None)}) answers"
    )


def _asked(filters: Filters) -> str:
    return (
        f"select {comma_list('array_agg({0}) as i_{0}', _INVITATION)} from ("
        "select i.invitation_id, i.given_stakeholder_id, i.stakeholder_id, i.sent_at, i.delivered_at, i.opened_at,"
        " i.started_at, i.bounced_at, i.withdrawn_at, r.answered_at,"
        f" {commented('r')} as commented, r.follow_up_requested"
        f" from invited_people i{joins(filters, None, alias='i')}"
        f" left join responses r on {LIVE} and r.account_id = i.account_id"
        " and r.stakeholder_id = i.stakeholder_id and r.invitation_id = i.invitation_id"
        " where i.account_id = :account_id and i.sent_at > :sent_after and i.sent_at <= :sent_upto"
        f"{conditions(filters, None, of=OF_INVITATION, alias='i')}) invited"
    )


def _people(filters: Filters) -> str:
    return (
        "select count(*) filter (where k.listed) as in_directory,"
        " array_agg(k.first_answered order by k.first_answered) filter (where not k.listed) as first_answered"
        " from (select cast(:account_id as text) as account_id, stakeholder_id, d.listed is not null as listed,"
        " f.first_answered from (select p.stakeholder_id, true as listed from stakeholders p"
        " left join accounts o on o.account_id = p.account_id"
        " where p.account_id = :account_id and not p.removed and o.removed is not true) d"
        f" full join ({_FIRST_ANSWERS}) f using (stakeholder_id)) k{joins(filters, None, alias='k')}"
        f" where true{conditions(filters, None, of=(), alias='k')}"
    )


def commented(alias: str) -> str:
    """An SQL expression: whether the response has a comment that says anything."""
    return f"coalesce(btrim({alias}.comment) <> '', false)"


def invitations_from(rows: Iterable[Any]) -> list[Invitation]:
    """The invitations of rows that repeat each for every reply to it."""
    replies: dict[tuple[str, str], list[Reply]] = {}
    first: dict[tuple[str, str], Any] = {}
    for row in rows:
        key = row["invitation_id"], row["given_stakeholder_id"]
        first.setdefault(key, row)
        found = replies.setdefault(key, [])
        if row["answered_at"] is not None:
            found.append(Reply(row["answered_at"], row["commented"], row["follow_up_requested"]))
    return [_invitation(row, replies[key]) for key, row in first.items()]


def _invitation(row: Any, replies: Sequence[Reply]) -> Invitation:
    return Invitation(
        row["stakeholder_id"],
        row["sent_at"],
        row["delivered_at"],
        row["opened_at"],
        row["started_at"],
        row["bounced_at"],
        tuple(replies),
        row["withdrawn_at"],
    )

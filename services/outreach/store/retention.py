"""Rows that have been kept long enough: of asks and reviews, and the words of answers that the collector has."""

from datetime import datetime
from typing import Final

from shared.db.pieces import delete_piece
from shared.db.transaction import WriteTx

AT_ONCE: Final = 1_000
# An answer that the collector has not taken yet, or refuses, stays with its ask.
_TAKEN: Final = "not exists (select from outgoing o where o.ask_id = k.ask_id and o.state <> 'sent')"


async def forget_words(tx: WriteTx) -> int:
    """Of answers that can be changed no more and that the collector has taken, keep which questions were answered and
    not what was said; a bounded number. Returns how many."""
    return await tx.execute(
        "update asks set answer = null, answered_questions = array(select jsonb_object_keys(answer -> 'values'))"
        " where ask_id in (select k.ask_id from asks k where k.answer is not null and k.expired_at is not null"
        f" and k.answer_due_at is null and {_TAKEN} limit :most for update of k skip locked)",
        most=AT_ONCE,
    )


async def forget_asks(tx: WriteTx, before: datetime) -> int:
    """Delete asks that fell due before a moment, with their history; a bounded number. Returns how many."""
    return await tx.execute(
        f"delete from asks where ask_id in (select k.ask_id from asks k where k.due_at < :before and {_TAKEN}"
        " order by k.due_at limit :most for update of k skip locked)",
        before=before,
        most=AT_ONCE,
    )


async def forget_reviews(tx: WriteTx, before: datetime) -> int:
    """Delete business reviews of before a moment of which no ask is left; a bounded number. Returns how many."""
    return await tx.execute(
        "delete from business_reviews where review_id in (select r.review_id from business_reviews r"
        " where r.created_at < :before and not exists (select from asks k where k.review_id = r.review_id)"
        " limit :most)",
        before=before,
        most=AT_ONCE,
    )


async def forget_unmatched_bounces(tx: WriteTx, before: datetime) -> int:
    """Delete reports of before a moment that name no mail of ours; a bounded number. Returns how many."""
    return await tx.execute(
        "delete from bounces where bounce_id in (select bounce_id from bounces where ask_id is null"
        " and received_at < :before limit :most)",
        before=before,
        most=AT_ONCE,
    )


async def forget_notices(tx: WriteTx, before: datetime) -> int:
    """Delete mails of before a moment that asked nothing; a bounded number. What was told by them goes with the last of
    them. Returns how many mails."""
    gone = await tx.execute(
        "delete from notices where notice_id in (select notice_id from notices where created_at < :before"
        " and state <> 'waiting' limit :most)",
        before=before,
        most=AT_ONCE,
    )
    told = "created_at < :before and not exists (select from notices n where n.loop_back_id = loop_backs.loop_back_id)"
    await delete_piece(tx, "loop_backs", told, "created_at", before=before)
    return gone

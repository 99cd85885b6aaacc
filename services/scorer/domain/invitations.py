"""Who was asked and how far that came: coverage, the invitation counts and the rates that follow from
them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scorer.domain.figures import ratio
from services.scorer.domain.windows import Span


@dataclass(frozen=True, slots=True)
class Reply:
    """A live submission that came by an invitation."""

    answered_at: datetime
    commented: bool = False
    follow_up_requested: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation: when each thing first happened to it, and what came back."""

    stakeholder_id: str
    sent_at: datetime
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    started_at: datetime | None = None
    bounced_at: datetime | None = None
    replies: tuple[Reply, ...] = ()
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvitationCounts:
    """Counts of the invitations sent in a window; `asked` are the distinct people among their recipients.

    The three from `answered` on count invitations that did not bounce and have a live answer (with a comment, with the
    wish to be called): an invitation counts once, whatever and however often was answered. `withdrawn` are those that
    whoever sent them took back, neither bounced nor answered.
    """

    asked: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    started: int = 0
    bounced: int = 0
    answered: int = 0
    commented: int = 0
    follow_up_requested: int = 0
    withdrawn: int = 0


NONE_SENT = InvitationCounts()


def count_invitations(invitations: Iterable[Invitation], span: Span) -> InvitationCounts:
    """Count the invitations sent in the span, as they stood at its end."""
    upto = span.upto
    sent = [invitation for invitation in invitations if span.after < invitation.sent_at <= upto]
    if not sent:
        return NONE_SENT
    asked = set()
    delivered = opened = started = bounced = answered = commented = follow_up_requested = withdrawn = 0
    for invitation in sent:
        asked.add(invitation.stakeholder_id)
        if invitation.delivered_at is not None and invitation.delivered_at <= upto:
            delivered += 1
        if invitation.opened_at is not None and invitation.opened_at <= upto:
            opened += 1
        if invitation.started_at is not None and invitation.started_at <= upto:
            started += 1
        if invitation.bounced_at is not None and invitation.bounced_at <= upto:
            bounced += 1
            continue
        replies = [reply for reply in invitation.replies if reply.answered_at <= upto]
        if replies:
            answered += 1
            commented += any(reply.commented for reply in replies)
            follow_up_requested += any(reply.follow_up_requested for reply in replies)
        elif invitation.withdrawn_at is not None and invitation.withdrawn_at <= upto:
            withdrawn += 1
    return InvitationCounts(
        len(asked), len(sent), delivered, opened, started, bounced, answered, commented, follow_up_requested, withdrawn
    )


def invitation_figures(counts: InvitationCounts) -> dict[str, Any]:
    """The invitation figures as JSON values: counts, and rates from 0 to 1. `bounce_rate` is a share of those
    sent, the others are shares of those sent and not bounced (the recipients); None where there were none."""
    recipients = counts.sent - counts.bounced
    return {
        "sent_count": counts.sent,
        "delivered_count": counts.delivered,
        "opened_count": counts.opened,
        "bounced_count": counts.bounced,
        "response_rate": ratio(counts.answered, recipients),
        "open_rate": ratio(counts.opened, recipients),
        "bounce_rate": ratio(counts.bounced, counts.sent),
        "comment_rate": ratio(counts.commented, recipients),
        "follow_up_request_rate": ratio(counts.follow_up_requested, recipients),
    }


UNKNOWN_INVITATIONS = dict.fromkeys(invitation_figures(NONE_SENT))
"""The invitation figures, all None, where answers are split by something that invitations do not have."""


def coverage_of(known: float | None, asked: float | None, answered: float | None) -> dict[str, Any]:
    """{known, asked, answered}: how many (or what revenue) are in the directory or ever answered, were asked in the
    window, answered in it; None where it cannot be said."""
    return {"known": known, "asked": asked, "answered": answered}

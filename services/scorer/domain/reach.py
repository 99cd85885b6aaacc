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


@dataclass(frozen=True, slots=True)
class InvitationCounts:
    """Counts of the invitations sent in a window; `asked` are the distinct people among their recipients.

    The last three count invitations that did not bounce and have a live answer (with a comment, with the wish
    to be called): an invitation counts once, whatever and however often was answered.
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


NONE_SENT = InvitationCounts()


def count_invitations(invitations: Iterable[Invitation], span: Span) -> InvitationCounts:
    """Count the invitations sent in the span, as they stood at its end."""
    upto = span.upto
    sent = [invitation for invitation in invitations if span.after < invitation.sent_at <= upto]
    if not sent:
        return NONE_SENT
    reached = [invitation for invitation in sent if invitation.bounced_at is None or invitation.bounced_at > upto]
    replies = [[reply for reply in invitation.replies if reply.answered_at <= upto] for invitation in reached]
    return InvitationCounts(
        asked=len({invitation.stakeholder_id for invitation in sent}),
        sent=len(sent),
        delivered=_happened([invitation.delivered_at for invitation in sent], upto),
        opened=_happened([invitation.opened_at for invitation in sent], upto),
        started=_happened([invitation.started_at for invitation in sent], upto),
        bounced=len(sent) - len(reached),
        answered=sum(bool(answers) for answers in replies),
        commented=sum(any(reply.commented for reply in answers) for answers in replies),
        follow_up_requested=sum(any(reply.follow_up_requested for reply in answers) for answers in replies),
    )


def _happened(moments: Iterable[datetime | None], upto: datetime) -> int:
    return len([moment for moment in moments if moment is not None and moment <= upto])


REACH_KEYS = (
    "sent_count",
    "delivered_count",
    "opened_count",
    "bounced_count",
    "response_rate",
    "open_rate",
    "bounce_rate",
    "comment_rate",
    "follow_up_request_rate",
)


def reach_figures(reach: InvitationCounts | None) -> dict[str, Any]:
    """The invitation figures as JSON values: counts, and rates from 0 to 1. `bounce_rate` is a share of those
    sent, the others are shares of those sent and not bounced (the recipients); None where there were none,
    and everywhere when it cannot be said (`reach` is None: split by something that invitations do not
    have)."""
    if reach is None:
        return dict.fromkeys(REACH_KEYS)
    recipients = reach.sent - reach.bounced
    return {
        "sent_count": reach.sent,
        "delivered_count": reach.delivered,
        "opened_count": reach.opened,
        "bounced_count": reach.bounced,
        "response_rate": ratio(reach.answered, recipients),
        "open_rate": ratio(reach.opened, recipients),
        "bounce_rate": ratio(reach.bounced, reach.sent),
        "comment_rate": ratio(reach.commented, recipients),
        "follow_up_request_rate": ratio(reach.follow_up_requested, recipients),
    }


def coverage_of(known: float | None, asked: float | None, answered: float | None) -> dict[str, Any]:
    """{known, asked, answered}: how many (or what revenue) are in the directory or ever heard, were asked in the
    window, answered in it; None where it cannot be said."""
    return {"known": known, "asked": asked, "answered": answered}

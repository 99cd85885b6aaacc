"""The invitation funnel: how far the invitations of a window came."""

from dataclasses import dataclass
from typing import Any

from services.scorer.domain.figures import ratio


@dataclass(frozen=True, slots=True)
class Funnel:
    """Counts of the invitations sent in a window, as they stood at its end.

    Each count stands for itself: an opening may go unseen, so more may have begun than opened. The last three count
    invitations that did not bounce and have a live answer (with a comment, with the wish to be called): once each,
    whatever and however often was answered.
    """

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    started: int = 0
    bounced: int = 0
    answered: int = 0
    commented: int = 0
    follow_up_requested: int = 0


def funnel_figures(funnel: Funnel) -> dict[str, Any]:
    """Counts, and rates from 0 to 1. `bounce_rate` is a share of those sent, `completion_rate` of those begun, the
    others of the recipients: sent and not bounced. None where there is nothing to divide by."""
    recipients = funnel.sent - funnel.bounced
    return {
        "sent_count": funnel.sent,
        "delivered_count": funnel.delivered,
        "opened_count": funnel.opened,
        "started_count": funnel.started,
        "answered_count": funnel.answered,
        "bounced_count": funnel.bounced,
        "delivered_rate": ratio(funnel.delivered, recipients),
        "open_rate": ratio(funnel.opened, recipients),
        "start_rate": ratio(funnel.started, recipients),
        "response_rate": ratio(funnel.answered, recipients),
        "completion_rate": ratio(funnel.answered, funnel.started),
        "bounce_rate": ratio(funnel.bounced, funnel.sent),
        "comment_rate": ratio(funnel.commented, recipients),
        "follow_up_request_rate": ratio(funnel.follow_up_requested, recipients),
    }

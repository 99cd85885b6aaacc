"""The invitation funnel: how far the invitations of a window came."""

from typing import Any, Final

from services.scorer.domain.figures import ratio
from services.scorer.domain.invitations import InvitationCounts

NO_DELIVERIES: Final = "deliveries_not_reported"


def funnel_figures(funnel: InvitationCounts) -> dict[str, Any]:
    """Counts, each of which stands for itself (an opening may go unseen, so more may have begun than opened), and rates
    from 0 to 1. `bounce_rate` is a share of those sent, `completion_rate` of those begun, the others of the recipients:
    sent and not bounced. None where there is nothing to divide by. Of deliveries None where no mailer has reported one:
    links and many mailers never do, and none would be 0 %."""
    recipients = funnel.sent - funnel.bounced
    delivered: int | None = funnel.delivered
    warnings = []
    if recipients and not funnel.delivered:
        delivered = None
        warnings.append(NO_DELIVERIES)
    return {
        "sent_count": funnel.sent,
        "delivered_count": delivered,
        "opened_count": funnel.opened,
        "started_count": funnel.started,
        "answered_count": funnel.answered,
        "bounced_count": funnel.bounced,
        "withdrawn_count": funnel.withdrawn,
        "delivered_rate": _share(delivered, recipients),
        "open_rate": ratio(funnel.opened, recipients),
        "start_rate": ratio(funnel.started, recipients),
        "response_rate": ratio(funnel.answered, recipients),
        "completion_rate": ratio(funnel.answered, funnel.started),
        "bounce_rate": ratio(funnel.bounced, funnel.sent),
        "comment_rate": ratio(funnel.commented, recipients),
        "follow_up_request_rate": ratio(funnel.follow_up_requested, recipients),
        "warnings": warnings,
    }


def _share(part: int | None, whole: int) -> float | None:
    if part is None:
        return None
    return ratio(part, whole)

"""The daily look at accounts without a business review."""

from typing import Final

from services.outreach.handlers.review_reminders import ReviewReminders
from shared.background import Periodic

SECONDS: Final = 900.0
"""Each account is looked at once a day; the rounds between find what was made or came since."""


def review_reminders(reminders: ReviewReminders) -> Periodic:
    """The periodic work."""
    return Periodic("review-reminders", SECONDS, reminders.look)

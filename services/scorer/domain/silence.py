"""Who was asked and has not answered: when that is to be published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.scorer.domain.answer_changes import is_fresh
from services.scorer.domain.states import SilentAfter

Furthest = Literal["bounced", "sent", "delivered", "opened", "started"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An invitation that was sent, and how far it came. `called_off`: the person unsubscribed, or it was withdrawn.
    `settled_at` is when its silence was published, or passed over. `given_stakeholder_id` is the person's id that was
    invited; `moved` says that the row has another person.
    """

    invitation_id: str
    stakeholder_id: str
    given_stakeholder_id: str
    sent_at: datetime
    recorded_at: datetime
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    started_at: datetime | None = None
    bounced_at: datetime | None = None
    called_off: bool = False
    settled_at: datetime | None = None
    moved: bool = False

    @property
    def furthest(self) -> Furthest:
        """How far it came."""
        if self.bounced_at is not None:
            return "bounced"
        if self.started_at is not None:
            return "started"
        if self.opened_at is not None:
            return "opened"
        if self.delivered_at is not None:
            return "delivered"
        return "sent"

    @property
    def recent(self) -> bool:
        """Whether its silence may be published; a history taken in late raises nothing."""
        return is_fresh(self.sent_at, self.recorded_at, quiet=False)


@dataclass(frozen=True, slots=True)
class Silences:
    """Invitations whose silence is due now, and when the next one will be."""

    due: tuple[Asked, ...]
    next_due: datetime | None


def silences_of(
    invitations: Iterable[Asked],
    last_answered: Mapping[str, datetime],
    types: Mapping[str, str | None],
    limits: SilentAfter,
    now: datetime,
) -> Silences:
    """Which invitations nobody answered within the limit of the person's type, each published once; any answer given
    since the invitation was sent breaks the silence, whatever it was to."""
    due: list[Asked] = []
    later: list[datetime] = []
    for invitation in invitations:
        person = invitation.stakeholder_id
        answered_at = last_answered.get(person)
        if invitation.settled_at is not None or (answered_at is not None and answered_at >= invitation.sent_at):
            continue
        moment = invitation.sent_at + limits.of(types.get(person))
        if moment <= now:
            due.append(invitation)
        else:
            later.append(moment)
    return Silences(tuple(due), min(later, default=None))

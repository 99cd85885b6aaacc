"""Events of the topic `context-events`: what happened at an account besides answers, shown as marks on a trend."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.envelope import EventData, Id, register
from shared.topics import CONTEXT_RECORDED

ContextKind = Literal[
    "issue_resolved",
    "order_delivered",
    "signed_up",
    "integrated",
    "feature_released",
    "project_completed",
    "contract_renewed",
    "contract_lost",
    "contract_ended",
    "purchased",
    "review_held",
    "incident",
    "change",
]


class ContextRecorded(EventData):
    """Something happened at an account, at `at`, maybe to a person there or with a product. The collector takes the
    kinds of `ContextKind`, a reader takes any: a newer release may know more."""

    event_id: UUID
    account_id: Id
    stakeholder_id: Id | None = None
    kind: Id
    at: AwareDatetime
    label: str | None = None
    recorded_at: AwareDatetime
    product: str | None = None


register(CONTEXT_RECORDED, ContextRecorded)

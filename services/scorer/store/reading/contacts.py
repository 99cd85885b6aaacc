"""When people were asked and answered last, and what forbids asking them: for whoever is about to ask."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.scorer.store.reading.people import PersonKey
from services.scorer.store.reading.pool import LIVE
from shared.db.transaction import ReadTx, as_columns

_LAST: Final = """
    select k.account_id, k.stakeholder_id,
        (select max(i.sent_at) {invitations} and i.sent_at <= :as_of) as last_asked_at,
        (select max(i.bounced_at) {invitations} and i.bounced_at <= :as_of) as bounced_at,
        (select max(i.unsubscribed_at) {invitations} and i.unsubscribed_at <= :as_of) as unsubscribed_at,
        (select max(r.answered_at) {responses} and r.nps_kind = 'relationship') as relationship,
        (select max(r.answered_at) {responses} and r.nps_kind <> 'relationship') as transactional
    from unnest(cast(:accounts as text[]), cast(:stakeholders as text[])) as k(account_id, stakeholder_id)
""".format(
    invitations="from invited_people i where i.account_id = k.account_id and i.stakeholder_id = k.stakeholder_id",
    responses=f"from responses r where {LIVE} and r.account_id = k.account_id"
    " and r.stakeholder_id = k.stakeholder_id and r.answered_at <= :as_of",
)


async def last_contacts(tx: ReadTx, people: Sequence[PersonKey], as_of: datetime) -> dict[PersonKey, dict[str, Any]]:
    """For each of these people, up to the moment: `last_asked_at`, `last_answered_at` {relationship, transactional; the
    latter of any occasion}, `bounced_at` and `unsubscribed_at`, each the latest, whoever asked; null where never."""
    if not people:
        return {}
    rows = await tx.all(
        _LAST, **as_columns({"accounts": person[0], "stakeholders": person[1]} for person in people), as_of=as_of
    )
    contacts = {}
    for row in rows:
        contacts[row["account_id"], row["stakeholder_id"]] = {
            "last_asked_at": row["last_asked_at"],
            "last_answered_at": {"relationship": row["relationship"], "transactional": row["transactional"]},
            "bounced_at": row["bounced_at"],
            "unsubscribed_at": row["unsubscribed_at"],
        }
    return contacts

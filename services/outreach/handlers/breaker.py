"""A mail came back for good, at once or later: the person is held. A programme pauses itself when too many do: its
addresses are wrong, or nobody wants its mails."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from services.outreach.domain.asks import SYSTEM
from services.outreach.domain.mail_names import MailName
from services.outreach.handlers.facts import bounce_call
from services.outreach.store import asks, bounces, contacts, programmes, reinvitations, sends
from services.outreach.store.outgoing import queue
from shared.db.transaction import WriteTx

LAST: Final = 200
FROM_MAILS: Final = 20
FROM_REFUSED: Final = 3
SHARE: Final = 0.05
"""Of its last 200 mails, 20 or more, over one in twenty and at least three."""
AN_HOUR: Final = 5
"""And at once when more come back for good within an hour."""


async def came_back(tx: WriteTx, mail: MailName, person: Mapping[str, str], mailed_at: datetime, now: datetime) -> None:
    """Nobody writes to the person (account_id, stakeholder_id) until the address is corrected or they answer. It counts
    from when the mail went: what was corrected or answered since stays so. The collector is told once of each address
    that an ask was mailed to."""
    await contacts.note(tx, [{**person, "bounced_at": mailed_at}])
    await asks.mark(tx, "bounced_at", {mail.ask_id: mailed_at})
    again = await reinvitations.came_back(tx, mail, mailed_at)
    await queue(tx, now, bounce_call(mail.ask_id, person, mailed_at, again=again))


async def pause_if_refused(tx: WriteTx, programme_id: str, now: datetime) -> None:
    """Let a running programme rest where the recipients' servers refuse too many of its mails. Who starts it again has
    looked at the addresses, so what was refused before counts no more."""
    started_at = await programmes.started_at(tx, programme_id)
    if started_at is None:
        return
    mails, refused = await sends.last_refused(tx, programme_id, started_at, LAST)
    returned = await bounces.hard_since(tx, programme_id, max(started_at, now - timedelta(hours=1)))
    reason = None
    if mails >= FROM_MAILS and refused >= FROM_REFUSED and refused > SHARE * mails:
        reason = f"{refused} of the last {mails} mails were refused: correct the addresses, then start it again"
    if returned > AN_HOUR:
        reason = f"{returned} mails came back within an hour: correct the addresses, then start it again"
    if reason is not None:
        await programmes.pause_running(tx, programme_id, reason, now, SYSTEM)

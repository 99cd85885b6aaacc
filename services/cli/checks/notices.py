"""The check of notices to people: whether some wait for a mail server or a proxy that is away."""

from services.alerting.gateways import mail
from services.alerting.outbound.domain.outcomes import Failure
from services.cli.checks import Check, warning
from shared.db.engine import Database
from shared.settings import CommonSettings

AWAY = {
    mail.AWAY: ("the mail server cannot be reached or closes", "the mail server, or TELLBACK_ALERTING_SMTP_HOST"),
    Failure.PROXY.value: ("the proxy breaks off or refuses the user", "the proxy, or TELLBACK_ALERTING_PROXY"),
}
"""By the failure: what is the matter, and what to mend."""


async def waiting(common: CommonSettings) -> list[Check]:
    """A finding for each way out that is away while notices wait for it; none where none waits."""
    async with Database.of(common, "alerting", pool_size=1) as handle, handle.read() as tx:
        if not await tx.has_table("alerting.notices"):
            return []
        rows = await tx.all(
            "select last_failure, count(*) as waiting from notices where status in ('waiting', 'sending')"
            " and last_failure = any(cast(:away as text[])) group by 1 order by 1",
            away=list(AWAY),
        )
    found = []
    for row in rows:
        what, mended = AWAY[row["last_failure"]]
        fix = f"mend {mended}; then they leave by themselves"
        found.append(warning("alerting: notices", f"{row['waiting']} wait, since {what}", fix))
    return found

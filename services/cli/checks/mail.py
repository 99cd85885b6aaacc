"""Checks of the sending domain: what the DNS says to those who receive mails."""

import asyncio

from services.cli.checks import Check, State
from services.outreach.domain.sending_domain import DomainReport
from services.outreach.gateways.dns import Dns
from services.outreach.handlers.sending_domain import Ask, sending_domain
from services.outreach.settings import OutreachSettings


def examined(settings: OutreachSettings, ask: Ask | None = None) -> DomainReport:
    """What the DNS says and should say; `ask`: another way to ask than the resolver of this machine."""
    return asyncio.run(_examined(settings, ask or Dns()))


async def _examined(settings: OutreachSettings, ask: Ask) -> DomainReport:
    return await sending_domain(settings, ask)


def checks(report: DomainReport) -> list[Check]:
    """The findings as the doctor shows them."""
    return [Check(finding.name, State(finding.state), finding.found, finding.fix) for finding in report.checks]

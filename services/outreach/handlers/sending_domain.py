"""Looks at the DNS for the sending domain: asks what has to be known, and what the answers lead to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.outreach.domain.dns_answers import Question
from services.outreach.domain.sending_domain import DomainReport, PublicKey, Sending, questions, report
from services.outreach.gateways.signing import public_key
from services.outreach.settings import OutreachSettings

Ask = Callable[[Question], Awaitable[tuple[str, ...] | None]]
MOST_ROUNDS: Final = 15
"""SPF records that include each other ten levels deep, and the hosts that they name."""
MOST_QUESTIONS: Final = 50
"""Of a round."""


async def sending_domain(settings: OutreachSettings, ask: Ask) -> DomainReport:
    """What the DNS says of the domains of senders, and what it should say."""
    sending = sending_of(settings)
    if sending is None:
        return report(None, {})
    answers: dict[Question, tuple[str, ...] | None] = {}
    for _ in range(MOST_ROUNDS):
        new = sorted(questions(sending, answers) - answers.keys())[:MOST_QUESTIONS]
        if not new:
            break
        found = await asyncio.gather(*map(ask, new))
        answers.update(zip(new, found, strict=True))
    return report(sending, answers)


def sending_of(settings: OutreachSettings) -> Sending | None:
    """How mails leave by the settings; None where no relay is set."""
    if settings.relay is None:
        return None
    bounce_domain = settings.bounce_domain
    if bounce_domain is not None:
        bounce_domain = bounce_domain.lower()
    return Sending(
        relay=settings.relay,
        domains=tuple(map(str.lower, settings.sender_domains)),
        bounce_domain=bounce_domain,
        key=_key(settings),
        links=settings.public_url,
    )


def _key(settings: OutreachSettings) -> PublicKey | None:
    key = settings.dkim
    if key is None:
        return None
    try:
        published: str | None = public_key(key)
    except ValueError:
        published = None
    return PublicKey(key.domain.lower(), key.selector.lower(), published)

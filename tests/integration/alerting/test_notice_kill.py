"""Alerting killed while it mails, as a real process: nobody misses a notice, and what comes twice says so."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.db.engine import Database
from shared.events.directory import Contact
from shared.kafka.producer import Publisher
from shared.topics import DIRECTORY, SCORE_EVENTS
from tests.integration.alerting.cases import Case
from tests.support.environment import Environment
from tests.support.events import record_of
from tests.support.http import api_key
from tests.support.installation import SCOPES, Installation
from tests.support.mail import MailServer, mail_server
from tests.support.polling import eventually

ACCOUNTS = 40
KILL_AT = (5, 25)
SETTINGS = {"NOTICE_WAIT_S": "0", "NOTICE_POLL_S": "0.05", "NOTICE_LEASE_S": "2"}


class Deadly(MailServer):
    """Takes a mail, and kills who sent it before it hears so."""

    def __init__(self) -> None:
        super().__init__()
        self.kill_at = list(KILL_AT)
        self.house: Installation | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One mail."""
        answer = await super().handle_DATA(server, session, envelope)
        if self.house and self.kill_at and len(self.mails) >= self.kill_at[0]:
            self.kill_at.pop(0)
            self.house.kill("alerting")
        return answer


@pytest.mark.thorough
async def test_kill_9_while_mails_go_out_loses_none_and_repeats_under_the_same_message_id(
    environment: Environment, tmp_path: Path, acme: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given forty owners to tell, when alerting is killed right after a mail was taken, twice, then every owner has
    the mail, and whoever has it twice has it under one Message-ID: as far as SMTP allows."""
    async with mail_server(Deadly()) as post:
        assert isinstance(post, Deadly)
        given = post.settings() | {f"TELLBACK_ALERTING_{name}": value for name, value in SETTINGS.items()}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        house = post.house = Installation(environment, tmp_path, await api_key(environment, SCOPES))
        database = Database(environment.database_url, "alerting", pool_size=1)
        publisher = Publisher(environment.kafka, environment.topic_prefix)
        await publisher.start()

        async def number(sql: str) -> int:
            async with database.read() as tx:
                return int(await tx.scalar(sql))

        async def known() -> bool:
            return await number("select count(*) from accounts") == ACCOUNTS

        async def sent() -> bool:
            return await number("select count(*) from notices where status = 'sent'") == ACCOUNTS

        try:
            house.start("alerting")
            await house.ready("alerting")
            wanted = {"channel": "mail", "quiet_hours": False}
            assert (await house.alerting.post("/v1/notifications", json=wanted)).status_code == 201
            owners = [f"owner-{number}@supplier.example" for number in range(ACCOUNTS)]
            cases = [Case(f"{acme.account_id}-{number}") for number in range(ACCOUNTS)]
            for case, owner in zip(cases, owners, strict=True):
                await publisher.send(record_of(case.account(owner=Contact(email=owner)), DIRECTORY))
            await eventually(known, timeout=60)
            for case in cases:
                await publisher.send(record_of(case.answered("r1", 2, datetime.now(UTC)), SCORE_EVENTS))
            for left in (1, 0):
                await eventually(lambda left=left: len(post.kill_at) == left, timeout=60)  # type: ignore[misc]
                house.start("alerting")
            await eventually(sent, timeout=60)
        finally:
            await house.stop()
            await publisher.stop()
            await database.close()
    assert set(post.recipients) == set(owners)
    ids: dict[str, set[str]] = {}
    for mail in post.mails:
        ids.setdefault(str(mail["To"]), set()).add(str(mail["Message-ID"]))
    assert Counter(map(len, ids.values())) == {1: ACCOUNTS}
    assert len(post.mails) > ACCOUNTS, "both kills came after a mail was taken and before that was written down"

"""The services work as roles that have no more than the rows of their own: an answer becomes a follow-up."""

from pathlib import Path

import httpx
import pytest

from shared.db.migrate import migrate
from shared.kafka.connection import KafkaConnection
from tests.support.databases import fresh_database
from tests.support.environment import environment_on
from tests.support.installation import SERVICES, Installation, installed
from tests.support.polling import eventually
from tests.support.processes import THROWN_AWAY, embedded_postgres
from tests.support.roles import make_roles, url_of

pytestmark = pytest.mark.slow
ANSWER = {
    "account_id": "northwind",
    "stakeholder_id": "mara",
    "survey_type": "nps",
    "score": 3,
    "comment": "Late again.",
}


async def test_an_answer_becomes_a_follow_up_through_services_with_a_role_each(
    kafka: KafkaConnection, tmp_path: Path
) -> None:
    with embedded_postgres(THROWN_AWAY) as server:
        async with fresh_database(server, "template0") as url:
            await make_roles(url)
            await migrate(url)
            databases = {service: url_of(url, service) for service in SERVICES}
            async with (
                environment_on(url, kafka) as environment,
                installed(environment, tmp_path, databases=databases) as installation,
            ):
                answer = await installation.collector.post("/v1/responses", json=ANSWER)
                assert answer.status_code == httpx.codes.ACCEPTED, answer.text
                await eventually(lambda: _opened(installation), timeout=60)
                await installation.get("benchmark", "/v1/comparisons/accounts/northwind")
                await installation.get("outreach", "/v1/surveys")
                for service in SERVICES:
                    assert "permission denied" not in installation.log(service), service


async def _opened(installation: Installation) -> bool:
    found = await installation.get("alerting", "/v1/follow-ups", account_id="northwind")
    return bool(found["items"])

"""Whatever is published reads back as it was published, through JSON and PostgreSQL, in every script."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from services.outreach.domain.documents import survey_document, survey_from
from services.outreach.store.surveys import find_version
from shared.db.engine import Database
from tests.integration.outreach.survey_desk import SurveyDesk, survey_desk
from tests.support.environment import Environment
from tests.support.examples import examples
from tests.support.surveys import survey_documents


@pytest.fixture(scope="module")
async def desk(module_environment: Environment) -> AsyncIterator[SurveyDesk]:
    async with survey_desk(module_environment) as running:
        yield running


@pytest.fixture(scope="module")
async def database(module_environment: Environment) -> AsyncIterator[Database]:
    opened = Database(module_environment.database_url, "outreach", pool_size=1)
    yield opened
    await opened.close()


@settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=survey_documents())
async def test_a_published_document_reads_back_equal(
    desk: SurveyDesk, database: Database, document: dict[str, Any]
) -> None:
    survey = survey_from(document)
    assert survey_from(survey_document(survey)) == survey
    begun = await desk.call("POST", "", 201, json=document)
    assert begun["faults"] == []
    path = f"/{begun['survey_id']}"
    published = await desk.call("POST", f"{path}/publish")
    assert published["document"] == begun["draft"]
    assert await desk.call("GET", f"{path}/versions/1") == published
    async with database.read() as tx:
        stored = await find_version(tx, begun["survey_id"], 1)
    assert stored is not None
    assert stored.survey == survey
    again = await desk.call("PATCH", path, json=published["document"])
    assert (again["revision"], again["has_changes"]) == (1, False)

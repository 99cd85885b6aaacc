"""What readers see of a person who has several ids."""

from datetime import timedelta
from typing import Any

from shared.events.directory import StakeholderRemoved
from shared.ids import uuid7
from shared.topics import STAKEHOLDER_REMOVED
from tests.integration.scorer.reading import Reader
from tests.integration.scorer.writing import Writer, event, person
from tests.support.events import recorded

MAIL = "ann@acme.example"
HOUR = timedelta(hours=1)


async def test_readers_see_the_person_by_any_id_and_the_id_that_was_given(rows: Writer, reader: Reader) -> None:
    when = reader.clock.now() - HOUR
    line = {"account_id": "old", "stakeholder_id": "a"}
    told: dict[str, Any] = {"name": "Ann", "recorded_at": when, "previous": line}
    await rows.take(person("C-17", "seen", email="ann@new.example", aliases=(MAIL, "s"), **told))
    gone: dict[str, Any] = {"merged_into": "C-17", "event_id": uuid7(), "recorded_at": when}
    await rows.take(event(STAKEHOLDER_REMOVED, StakeholderRemoved(account_id="seen", stakeholder_id="s", **gone)))
    moment = {"answered_at": when, "recorded_at": when}
    await rows.take(recorded("seen-1", "seen", stakeholder_id=MAIL, email=MAIL, **moment))
    await rows.project()

    found = await reader.body(f"/v1/accounts/seen/stakeholders/{MAIL}")
    assert (found["stakeholder_id"], found["aliases"], found["previous"]) == ("C-17", [MAIL, "s"], line)
    assert [(answer["stakeholder_id"], answer["given_stakeholder_id"]) for answer in found["responses"]] == [
        ("C-17", MAIL)
    ]
    for path in ("/v1/responses", "/v1/changes"):
        listed = (await reader.body(path, account_id="seen", stakeholder_id=MAIL))["items"]
        assert [item["stakeholder_id"] for item in listed] == ["C-17"]
        everywhere = (await reader.body(path, stakeholder_id=MAIL))["items"]
        assert [item["stakeholder_id"] for item in everywhere] == ["C-17"]
    people = (await reader.body("/v1/accounts/seen/stakeholders"))["items"]
    assert [person["stakeholder_id"] for person in people] == ["C-17"]
    for address in (MAIL, "Ann@New.example"):
        assert [
            person["stakeholder_id"] for person in (await reader.body("/v1/stakeholders", email=address))["items"]
        ] == ["C-17"]
    explained = await reader.body("/v1/explain", account_id="seen")
    assert [answer["given_stakeholder_id"] for answer in explained["counted"]] == [MAIL]
    assert (await reader.body("/v1/accounts/seen/score"))["coverage"]["known"] == 1
    marks = (await reader.body("/v1/accounts/seen/trend"))["marks"]
    assert [(mark["kind"], mark["stakeholder_id"]) for mark in marks] == [("people_merged", "C-17")]

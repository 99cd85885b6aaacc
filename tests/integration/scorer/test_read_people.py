"""People by their state, one person with all they said, responses, and changes, by example."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ids import derived_uuid
from tests.integration.scorer.reading import NOW, OF_PEOPLE, Reader
from tests.support.reference.world import Client, Entry, Invite, Person, Submission, World


def ago(days: float) -> Any:
    """So many days before the moment in question."""
    return NOW - timedelta(days=days)


WORLD = World(
    clients=(
        Client("acme", "Acme", "logistics", "key", "EMEA", "kim@supplier.example"),
        Client("bolt", "Bolt", "saas", "small", "APAC", "lee@supplier.example"),
    ),
    people=(
        Person("acme", "ada", "decision_maker", "c_level"),
        Person("acme", "ben", "user"),
        Person("acme", "new", "user"),
        Person("bolt", "eve", "decision_maker"),
        Person("bolt", "left", "user", removed=True),
    ),
    submissions=(
        Submission("r1", "acme", "ada", "nps", 10, ago(200), comment="Great team, quick answers"),
        Submission("r2", "acme", "ada", "nps", 9, ago(100), touchpoint="support", nps_kind="transactional"),
        Submission("r3", "acme", "ada", "nps", 8, ago(50), comment="Slower than before"),
        Submission(
            "r4", "acme", "ada", "nps", 5, ago(2), comment="Late <b>again</b>", entries=(Entry("q", "csat", 1),)
        ),
        Submission("r5", "acme", "ben", "nps", 9, ago(10)),
        Submission("r6", "acme", "ben", "csat", 5, ago(1)),
        Submission("r7", "bolt", "eve", "nps", 7, ago(60)),
        Submission("t1", "bolt", "eve", "nps", 1, ago(1), test=True),
        Submission("w1", "bolt", "eve", "nps", 1, ago(1), withdrawn=True),
        Submission("x1", "bolt", "eve", "nps", 1, ago(1), erased=True),
    ),
    invites=(
        Invite("i1", "bolt", "eve", ago(15)),
        Invite("i2", "acme", "new", ago(15)),
        Invite("i3", "acme", "guest", ago(30)),
    ),
)


@pytest.fixture(scope="module", autouse=True)
async def world(reader: Reader) -> None:
    """The people of this module."""
    await reader.put(WORLD)


async def ids(reader: Reader, path: str, **wanted: Any) -> list[str]:
    """The stakeholder ids of a list."""
    return [item["stakeholder_id"] for item in await reader.items(path, **wanted)]


async def test_the_state_of_a_person_and_all_they_said(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme/stakeholders/ada")
    assert (body["account_id"], body["type"], body["job_level"]) == ("acme", "decision_maker", "c_level")
    assert body | OF_PEOPLE == body
    state = body["state"]
    assert (state["score"], state["category"], state["change"]) == (5, "detractor", "passive_to_detractor")
    assert (state["latest"]["response_id"], state["previous"]["response_id"]) == ("r4", "r3")
    assert (state["falls_in_a_row"], state["days_since_answered"], state["silent"]) == (2, 2, False)
    assert [response["response_id"] for response in body["responses"]] == ["r1", "r2", "r3", "r4"]
    last = body["responses"][-1]
    assert (last["score"], last["category"], last["comment"]) == (5, "detractor", "Late <b>again</b>")
    assert last["answers"] == [{"question_id": "q", "type": "csat", "attribute": None, "value": 1}]


async def test_when_people_were_asked_and_answered_last(reader: Reader) -> None:
    """As outreach reads it before it asks anybody: by kind of answer, whoever asked."""
    told = {}
    for item in await reader.items("/v1/stakeholders", contacts=True):
        told[item["account_id"], item["stakeholder_id"]] = item["contacts"]
    never = {"last_asked_at": None, "bounced_at": None, "unsubscribed_at": None}
    assert told["acme", "ada"] == never | {
        "last_answered_at": {"relationship": shown(ago(2)), "transactional": shown(ago(100))}
    }
    assert told["bolt", "eve"] == never | {
        "last_asked_at": shown(ago(15)),
        "last_answered_at": {"relationship": shown(ago(60)), "transactional": None},
    }
    assert told["acme", "guest"]["last_asked_at"] == shown(ago(30))
    before = await reader.items("/v1/accounts/acme/stakeholders", as_of=shown(ago(51)), contacts=True)
    [ada] = [item["contacts"] for item in before if item["stakeholder_id"] == "ada"]
    assert {item["contacts"] for item in await reader.items("/v1/stakeholders")} == {None}
    assert ada["last_answered_at"] == {"relationship": shown(ago(200)), "transactional": shown(ago(100))}


def shown(moment: datetime) -> str:
    """A moment as JSON has it."""
    return moment.isoformat().replace("+00:00", "Z")


async def test_a_person_at_an_earlier_moment(reader: Reader) -> None:
    body = await reader.body("/v1/accounts/acme/stakeholders/ada", as_of=ago(40))
    assert [response["response_id"] for response in body["responses"]] == ["r1", "r2", "r3"]
    assert (body["state"]["category"], body["state"]["days_since_answered"]) == ("passive", 10)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/accounts/acme/stakeholders/nobody", "unknown_stakeholder"),
        ("/v1/accounts/acme/stakeholders/eve", "unknown_stakeholder"),
        ("/v1/accounts/nobody/stakeholders/ada", "unknown_account"),
        ("/v1/accounts/nobody/stakeholders", "unknown_account"),
        ("/v1/responses/nothing", "unknown_response"),
        ("/v1/responses/x1", "unknown_response"),
    ],
)
async def test_what_is_not_there_is_not_found(reader: Reader, path: str, code: str) -> None:
    assert await reader.code(path, 404) == code


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["ada", "ben", "guest", "new"]),
        ({"category": "detractor"}, ["ada"]),
        ({"category": "promoter"}, ["ben"]),
        ({"silent": True}, ["guest"]),
        ({"silent": False}, ["ada", "ben", "new"]),
        ({"type": "user"}, ["ben", "new"]),
        ({"sort": "score"}, ["ada", "ben", "guest", "new"]),
        ({"sort": "-answered_at"}, ["ben", "ada", "guest", "new"]),
        ({"q": "AD"}, ["ada"]),
        ({"as_of": ago(30), "category": "passive"}, ["ada"]),
        ({"as_of": ago(-7), "silent": True}, ["guest", "new"]),
    ],
)
async def test_the_people_of_an_account(reader: Reader, wanted: dict[str, Any], found: list[str]) -> None:
    assert await ids(reader, "/v1/accounts/acme/stakeholders", **wanted, limit=1) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"category": "detractor"}, ["ada"]),
        ({"silent": True, "type": "decision_maker"}, ["eve"]),
        ({"silent": True}, ["guest", "eve"]),
        ({"tier": "small"}, ["eve"]),
        ({"industry": "software as a service"}, ["eve"]),
        ({"owner": "kim@supplier.example", "category": "promoter"}, ["ben"]),
        ({"account_id": "bolt"}, ["eve"]),
        ({"account_id": "bolt", "updated_since": ago(1)}, ["eve"]),
        ({"updated_since": NOW}, []),
        ({"answered_since": ago(60)}, ["ada", "ben", "eve"]),
        ({"answered_since": ago(20)}, ["ada", "ben"]),
        ({"answered_since": ago(5), "category": "detractor"}, ["ada"]),
        ({"answered_since": ago(2), "as_of": ago(3)}, []),
    ],
)
async def test_people_over_all_accounts(reader: Reader, wanted: dict[str, Any], found: list[str]) -> None:
    assert await ids(reader, "/v1/stakeholders", **wanted) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["r6", "r4", "r5", "r3", "r7", "r2", "r1"]),
        ({"sort": "answered_at"}, ["r1", "r2", "r7", "r3", "r5", "r4", "r6"]),
        ({"account_id": "acme", "category": "promoter"}, ["r5", "r2", "r1"]),
        ({"category": "detractor"}, ["r4"]),
        ({"survey_type": "csat"}, ["r6"]),
        ({"touchpoint": "support"}, ["r2"]),
        ({"q": "late"}, ["r4"]),
        ({"q": '"quick answers"'}, ["r1"]),
        ({"q": "late or slower"}, ["r4", "r3"]),
        ({"q": "%"}, []),
        ({"q": "'); drop table responses; --"}, []),
        ({"from": ago(60), "to": ago(10)}, ["r5", "r3", "r7"]),
        ({"stakeholder_id": "eve"}, ["r7"]),
        ({"test": True}, ["t1"]),
        ({"owner": "lee@supplier.example"}, ["r7"]),
    ],
)
async def test_responses_are_filtered_and_paged(reader: Reader, wanted: dict[str, Any], found: list[str]) -> None:
    items = await reader.items("/v1/responses", **wanted, limit=2)
    assert [item["response_id"] for item in items] == found


async def test_a_withdrawn_or_test_answer_is_shown_by_its_id(reader: Reader) -> None:
    assert (await reader.body("/v1/responses/w1"))["withdrawn"] is True
    assert (await reader.body("/v1/responses/t1"))["test"] is True
    body = await reader.body("/v1/responses/r6")
    assert (body["category"], body["score"], body["revision"]) == (None, 5, 1)


async def test_changes_compare_answers_of_one_kind(reader: Reader) -> None:
    items = await reader.items("/v1/changes", account_id="acme", stakeholder_id="ada")
    assert [(item["kind"], item["response_id"], item["previous_response_id"]) for item in items] == [
        ("passive_to_detractor", "r4", "r3"),
        ("promoter_to_passive", "r3", "r1"),
        ("new_promoter", "r2", None),
        ("new_promoter", "r1", None),
    ]
    first = items[0]
    assert (first["from"], first["to"], first["from_score"], first["to_score"]) == ("passive", "detractor", 8, 5)
    assert first["changed_at"] == "2026-05-30T12:00:00Z"
    assert first["event_id"] == str(derived_uuid("stakeholder.answered", "r4", "1"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"since": ago(55)}, ["r4", "r5", "r3"]),
        ({"since": ago(55), "until": ago(10)}, ["r5", "r3"]),
        ({"kind": "promoter_to_passive"}, ["r3"]),
        ({"kind": "new_passive"}, ["r7"]),
        ({"nps_kind": "transactional"}, ["r2"]),
        ({"updated_since": ago(20)}, ["r4", "r5"]),
        ({"sort": "changed_at", "account_id": "acme"}, ["r1", "r2", "r3", "r5", "r4"]),
    ],
)
async def test_changes_are_filtered_and_paged(reader: Reader, wanted: dict[str, Any], found: list[str]) -> None:
    items = await reader.items("/v1/changes", **wanted, limit=2)
    assert [item["response_id"] for item in items] == found


async def test_an_explanation_names_every_answer_with_its_reason(reader: Reader) -> None:
    parked = {
        "response_id": "r5",
        "account_id": "acme",
        "stakeholder_id": "ben",
        "score": 1,
        "answered_at": "2026-05-22T12:00:00Z",
    }
    await reader.tables.execute(
        "insert into parked (id, kind, reason, topic, partition, record_offset, headers, value, account_id)"
        " values (gen_random_uuid(), 'conflict', 'other_body', 'responses', 0, 1, '\\x00', $1, 'acme'),"
        " (gen_random_uuid(), 'conflict', 'wrong_account', 'responses', 0, 2, '\\x00', $2, 'acme')",
        json.dumps(parked).encode(),
        b'{"response_id": "r5", "account_id": "acme", "changes": {}}',
    )
    body = await reader.body("/v1/explain", account_id="acme", nps_kind="relationship")
    assert [answer["response_id"] for answer in body["counted"]] == ["r5", "r4"]
    assert (body["response_count"], body["nps"]) == (2, 0.0)
    assert [(answer["response_id"], answer["score"], answer["reason"]) for answer in body["not_counted"]] == [
        ("r1", 10, "outside_window"),
        ("r2", 9, "filtered"),
        ("r3", 8, "superseded"),
        ("r5", 1, "conflict"),
        ("r6", 5, "other_survey"),
    ]
    withdrawn = await reader.body("/v1/explain", account_id="bolt", window="all")
    assert {answer["response_id"]: answer["reason"] for answer in withdrawn["not_counted"]} == {
        "t1": "test",
        "w1": "withdrawn",
        "x1": "withdrawn",
    }


async def test_an_entry_of_a_submission_is_explained_under_its_question(reader: Reader) -> None:
    body = await reader.body("/v1/explain", account_id="acme", survey_type="csat", method="all")
    assert [(answer["response_id"], answer.get("question_id"), answer["score"]) for answer in body["counted"]] == [
        ("r4", "q", 1),
        ("r6", None, 5),
    ]


async def test_a_limited_key_finds_only_its_owners_accounts(reader: Reader) -> None:
    kim = await reader.limited_to("kim@supplier.example")
    assert await kim.code("/v1/accounts/bolt/stakeholders", 404) == "unknown_account"
    assert await kim.code("/v1/accounts/bolt/stakeholders/eve", 404) == "unknown_account"
    assert await kim.code("/v1/explain", 404, account_id="bolt") == "unknown_account"
    assert await kim.code("/v1/responses/r7", 404) == "unknown_response"
    assert await ids(kim, "/v1/stakeholders", silent=True) == ["guest"]
    assert [response["response_id"] for response in await kim.items("/v1/responses", category="passive")] == ["r3"]


async def test_names_are_told_for_ids_of_what_one_may_see(reader: Reader) -> None:
    of = [
        {"account_id": "acme", "stakeholder_id": "ada"},
        {"account_id": "acme", "stakeholder_id": "ada"},
        {"account_id": "bolt"},
        {"account_id": "acme", "stakeholder_id": "guest"},
        {"account_id": "nowhere", "stakeholder_id": "nobody"},
    ]

    async def names(asking: Reader) -> set[tuple[str, str | None, str | None, str | None]]:
        answer = await asking.client.post("/v1/names", json={"of": of})
        assert answer.status_code == 200, answer.text
        found = answer.json()["items"]
        assert len(found) == len({(person["account_id"], person["stakeholder_id"]) for person in found})
        return {
            (person["account_id"], person["stakeholder_id"], person["account_name"], person["name"]) for person in found
        }

    ada = (await reader.body("/v1/accounts/acme/stakeholders/ada"))["name"]
    own = {("acme", "ada", "Acme", ada), ("acme", "guest", "Acme", None)}
    assert await names(reader) == own | {("bolt", None, "Bolt", None), ("nowhere", "nobody", None, None)}
    assert await names(await reader.limited_to("kim@supplier.example")) == own


async def test_owners_and_sponsors_are_called_by_the_names_that_accounts_give(reader: Reader) -> None:
    await reader.tables.execute(
        "update accounts set owner_name = 'Kim', sponsor_name = 'Sam', sponsor_email = 'sam@supplier.example'"
        " where owner_email = 'kim@supplier.example'"
    )
    emails = ["kim@supplier.example", "lee@supplier.example", "sam@supplier.example", "nobody@supplier.example"]
    wanted = {"owners": emails}

    async def owners(asking: Reader) -> dict[str, str | None]:
        answer = await asking.client.post("/v1/names", json=wanted)
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"] == []
        return {owner["email"]: owner["name"] for owner in answer.json()["owners"]}

    kim = {"kim@supplier.example": "Kim", "sam@supplier.example": "Sam"}
    assert await owners(reader) == kim | {"lee@supplier.example": None}
    assert await owners(await reader.limited_to("kim@supplier.example")) == kim

"""One person by several ids: what the directory makes of addresses, merges, and what erasure lists."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from shared.events.directory import StakeholderRemoved, StakeholderUpserted
from shared.events.responses import StakeholderErased
from shared.topics import DIRECTORY, RESPONSES
from tests.integration.collector.conftest import Running
from tests.support.http import api_key, bearer

_numbers = count()
ANN, BEN = "ann@acme.example", "ben@acme.example"


class Account:
    """An account of a test's own."""

    def __init__(self, collector: Running) -> None:
        self.id = f"account-{next(_numbers)}"
        self.collector = collector
        self.client = collector.client

    def path(self, person: str, more: str = "") -> str:
        return f"/v1/accounts/{self.id}/stakeholders/{person}{more}"

    async def put(self, person: str, **members: Any) -> dict[str, Any]:
        answer = await self.client.put(self.path(person), json=members)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, person: str) -> dict[str, Any]:
        answer = await self.client.get(self.path(person))
        found: dict[str, Any] = answer.json()
        return found | {"status_code": answer.status_code}

    async def merge(self, person: str, into: str, **members: Any) -> tuple[int, dict[str, Any]]:
        answer = await self.client.post(self.path(person, "/merge"), json={"into": into} | members)
        return answer.status_code, answer.json()

    async def part(self, person: str) -> tuple[int, str | None]:
        answer = await self.client.delete(self.path(person, "/merge"))
        if answer.status_code == 204:
            return 204, None
        return answer.status_code, answer.json()["code"]

    async def recorded_at(self, person: str) -> datetime:
        return datetime.fromisoformat((await self.get(person))["recorded_at"])

    @contextmanager
    def by_a_clock_ahead(self) -> Iterator[None]:
        """What is recorded meanwhile is recorded by a clock that is an hour ahead."""
        self.collector.clock.advance(timedelta(hours=1))
        yield
        self.collector.clock.advance(timedelta(hours=-1))

    async def events(self) -> Sequence[Any]:
        """What the collector has written about the directory of the account, published or not."""
        found = await self.collector.present(DIRECTORY)
        return [event.data for event in found if event.account_id == self.id]


@pytest.fixture
def account(shared_collector: Running) -> Account:
    return Account(shared_collector)


async def test_an_address_in_a_record_is_a_further_id_of_the_person(account: Account) -> None:
    put = await account.put("C-17", name="Ann", email="Ann@Acme.example")
    assert (put["aliases"], put["warnings"]) == ([ANN], [])
    assert (await account.get("ANN@acme.example"))["stakeholder_id"] == "C-17"
    assert (await account.put(ANN, name="Ann Lee"))["stakeholder_id"] == "C-17"
    assert (await account.get("C-17"))["aliases"] == [ANN]


async def test_a_record_that_stands_under_the_address_is_merged_in_and_fills_what_is_empty(account: Account) -> None:
    await account.put(ANN, name="Ann", job_title="COO", attributes={"since": 2019})
    put = await account.put("C-17", name="Ann Lee", email=ANN)
    assert (put["name"], put["job_title"], put["attributes"], put["aliases"]) == (
        *("Ann Lee", "COO", {"since": 2019}),
        [ANN],
    )
    assert (await account.get(ANN))["stakeholder_id"] == "C-17"


async def test_an_address_that_another_person_has_stays_there(account: Account) -> None:
    await account.put("C-17", email=ANN)
    put = await account.put("C-18", email=ANN)
    assert (put["aliases"], put["warnings"]) == ([], ["address_in_use"])
    assert (await account.get(ANN))["stakeholder_id"] == "C-17"


async def test_an_address_that_another_person_has_stays_there_when_something_else_changes(account: Account) -> None:
    await account.put("C-17", email=ANN)
    await account.put("C-18", email=ANN)
    patched = (await account.client.patch(account.path("C-18"), json={"job_title": "COO"})).json()
    assert (patched["job_title"], patched["aliases"], patched["warnings"]) == ("COO", [], [])
    assert (await account.get(ANN))["stakeholder_id"] == "C-17"


async def test_a_row_that_is_refused_takes_no_address_from_its_holder(account: Account) -> None:
    await account.put("C-17", email=ANN)
    await account.put("C-17", email=BEN)
    await account.put("full", name="Full")
    for number in range(20):
        assert (await account.merge(f"x{number}", "full"))[0] == 200
    rows = [{"account_id": account.id, "stakeholder_id": "full", "email": ANN}]
    batch = (await account.client.post("/v1/directory/batch", json={"stakeholders": rows})).json()
    assert batch["results"][0]["problem"]["errors"][0]["code"] == "too_many_ids"
    assert (await account.get("C-17"))["aliases"] == [ANN, BEN]


@pytest.mark.parametrize("how", ["changed", "removed"])
async def test_an_address_stays_its_holders_until_another_record_takes_it(account: Account, how: str) -> None:
    await account.put("C-17", email=ANN)
    if how == "changed":
        changed = await account.put("C-17", email=BEN)
        assert changed["aliases"] == [ANN, BEN]
        assert changed["email_changed_at"] == changed["recorded_at"]
    else:
        assert (await account.client.delete(account.path("C-17"))).status_code == 204
    assert (await account.put("C-18", email=ANN))["aliases"] == [ANN]
    if how == "changed":
        assert (await account.get("C-17"))["aliases"] == [BEN]
    assert (await account.get(ANN))["stakeholder_id"] == "C-18"


async def test_a_batch_of_people_gets_their_addresses(account: Account) -> None:
    rows = [{"account_id": account.id, "stakeholder_id": f"p{n}", "email": f"p{n}@acme.example"} for n in range(50)]
    rows.append({"account_id": account.id, "stakeholder_id": "late", "email": "p1@acme.example"})
    answer = await account.client.post("/v1/directory/batch", json={"stakeholders": rows})
    assert answer.json()["accepted"] == 51
    assert answer.json()["results"][-1]["warnings"] == ["address_in_use"]
    assert (await account.get("p7@acme.example"))["stakeholder_id"] == "p7"


async def test_a_merge_makes_ids_of_one_ids_of_the_other_and_can_be_tried(account: Account) -> None:
    await account.put("s", name="Sue", email=ANN)
    await account.put("t", name="Tom", email=BEN)
    status, tried = await account.merge("s", "t", dry_run=True)
    assert (status, tried["aliases"], tried["name"]) == (200, [BEN, "s", ANN], "Tom")
    assert (await account.get("s"))["stakeholder_id"] == "s"
    assert (await account.merge("s", "t"))[0] == 200
    assert (await account.get(ANN))["stakeholder_id"] == "t"

    assert await account.part("s") == (204, None)
    assert (await account.get("s"))["name"] == "Sue"
    assert (await account.get(ANN))["stakeholder_id"] == "s"
    assert (await account.get("t"))["aliases"] == [BEN]
    assert await account.part("s") == (404, "not_found")


async def test_who_refused_mail_under_one_id_refused_under_all(account: Account) -> None:
    await account.put(ANN, mail_permission="refused", time_zone="Europe/Paris")
    put = await account.put("C-17", email=ANN, mail_permission="granted")
    assert (put["mail_permission"], put["time_zone"]) == ("refused", "Europe/Paris")
    await account.put(BEN, mail_permission="granted")
    assert (await account.put("C-18", email=BEN))["mail_permission"] == "granted"

    assert (await account.merge("C-17", "C-18"))[0] == 200
    assert (await account.get("C-18"))["mail_permission"] == "refused"
    assert await account.part("C-17") == (204, None)
    assert (await account.get("C-18"))["mail_permission"] == "refused"


async def test_merges_are_told_with_ids_and_times_only(collector: Running) -> None:
    account = Account(collector)
    await account.put("s", name="Sue")
    await account.put("t", name="Tom")
    await account.merge("s", "t")
    *_, upserted, removed = [event.data for event in await collector.events(DIRECTORY, 4)]
    assert isinstance(removed, StakeholderRemoved)
    assert isinstance(upserted, StakeholderUpserted)
    assert (removed.stakeholder_id, removed.merged_into) == ("s", "t")
    assert (upserted.stakeholder_id, upserted.aliases) == ("t", ("s",))


async def test_who_takes_an_address_is_recorded_after_who_had_it_whatever_the_clocks(account: Account) -> None:
    with account.by_a_clock_ahead():
        await account.put("C-17", email=ANN)
        await account.put("C-17", email=BEN)
    had = await account.recorded_at("C-17")
    await account.put("C-18", email=ANN)
    assert await account.recorded_at("C-18") > had


async def test_a_merged_person_is_recorded_after_both_whatever_the_clocks(account: Account) -> None:
    with account.by_a_clock_ahead():
        await account.put("s", email=ANN)
    had = await account.recorded_at("s")
    await account.put("t", name="Tom")
    await account.merge("s", "t")
    assert await account.recorded_at("t") > had


async def test_a_parted_record_is_recorded_after_who_had_its_ids_whatever_the_clocks(account: Account) -> None:
    await account.put("s", email=ANN)
    await account.put("t", name="Tom")
    await account.merge("s", "t")
    with account.by_a_clock_ahead():
        await account.put("t", name="Tim")
    had = await account.recorded_at("t")
    await account.part("s")
    assert await account.recorded_at("s") > had


async def test_somebody_who_only_answered_can_be_merged_too(account: Account) -> None:
    await account.put("t", name="Tom")
    assert (await account.merge(ANN, "t"))[1]["aliases"] == [ANN]
    assert await account.part(ANN) == (204, None)
    assert (await account.get(ANN))["status_code"] == 404


async def test_what_cannot_be_merged_says_why(account: Account) -> None:
    for person in ("s", "t", "u"):
        await account.put(person, name=person)
    assert (await account.merge("s", "s"))[1]["code"] == "same_person"
    assert (await account.merge("s", "nobody"))[1]["code"] == "not_found"
    await account.merge("s", "t")
    assert (await account.merge("s", "t"))[1]["code"] == "same_person"
    assert (await account.merge("u", "s"))[1]["code"] == "merged_away"
    for number in range(19):
        assert (await account.merge(f"x{number}", "t"))[0] == 200
    status, problem = await account.merge("u", "t")
    assert (status, problem["code"]) == (409, "too_many_ids")


async def test_a_merge_whose_id_went_on_is_not_undone(account: Account) -> None:
    for person in ("s", "t", "u"):
        await account.put(person, name=person)
    await account.merge("s", "t")
    await account.merge("t", "u")
    assert await account.part("s") == (409, "id_taken")
    assert await account.part("t") == (204, None)
    assert await account.part("s") == (204, None)
    assert (await account.get("u"))["aliases"] == []


async def test_a_person_at_another_account_leaves_the_first_in_one_call(shared_collector: Running) -> None:
    old, new = Account(shared_collector), Account(shared_collector)
    await old.put("a", name="Ann")
    put = await new.put("b", name="Ann", previous={"account_id": old.id, "stakeholder_id": "a"})
    assert put["previous"] == {"account_id": old.id, "stakeholder_id": "a"}
    assert (await old.get("a"))["status_code"] == 404
    assert (await new.put("b", name="Ann Lee"))["previous"] is not None
    refused = await new.client.put(new.path("b"), json={"previous": {"account_id": new.id, "stakeholder_id": "a"}})
    assert refused.json()["errors"][0]["code"] == "same_account"


async def test_an_erasure_lists_every_id_also_of_the_account_before(collector: Running) -> None:
    old, new = Account(collector), Account(collector)
    await old.put("a", email=ANN)
    await new.put("b", email=BEN, previous={"account_id": old.id, "stakeholder_id": "a"})
    answer = await collector.client.delete(old.path(ANN, "/data"))
    receipt = answer.json()
    assert (answer.status_code, receipt["ids"], receipt["stakeholders"]) == (202, 4, 2)
    events = {event.account_id: event.data for event in await collector.events(RESPONSES, 2)}
    first, second = events[old.id], events[new.id]
    assert isinstance(first, StakeholderErased)
    assert isinstance(second, StakeholderErased)
    assert first.receipt_id == second.receipt_id
    assert [erased.stakeholder_id for erased in first.every_id()] == [ANN, "a"]
    assert [(account_id, erased.stakeholder_id) for account_id, erased in first.elsewhere()] == [
        (new.id, "b"),
        (new.id, BEN),
    ]
    assert (second.account_id, [erased.stakeholder_id for erased in second.every_id()]) == (new.id, ["b", BEN])
    assert (await new.get(BEN))["status_code"] == 404
    found = (await collector.client.get(f"/v1/erasures/{receipt['receipt_id']}")).json()
    assert found["ids"] == 4


async def test_an_erasure_takes_a_record_that_was_merged_in_also_when_its_id_went_on(collector: Running) -> None:
    account = Account(collector)
    await account.put(ANN, name="Ann Lee")
    await account.put("C-17", email=ANN)
    await account.put("C-17", email=BEN)
    await account.put("C-18", email=ANN)
    assert (await account.client.delete(account.path("C-17", "/data"))).status_code == 202
    async with collector.app.state.plumbing.database.read() as tx:
        assert await tx.column("select record from stakeholder_merges") == []


async def test_an_erasure_reaches_no_account_of_another_owner(shared_collector: Running) -> None:
    old, new = Account(shared_collector), Account(shared_collector)
    await old.client.put(f"/v1/accounts/{old.id}", json={"owner": {"email": "kim@us.example"}})
    await old.put("a", name="Ann")
    await new.put("b", previous={"account_id": old.id, "stakeholder_id": "a"})
    key = await api_key(shared_collector.environment, ("erase",), owner_email="kim@us.example")
    answer = await old.client.delete(old.path("a", "/data"), headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (409, "person_elsewhere")


async def test_parents_never_stand_in_a_circle(shared_collector: Running) -> None:
    client, (a, b, c) = shared_collector.client, [f"circle-{next(_numbers)}" for _ in range(3)]
    assert (await client.put(f"/v1/accounts/{a}", json={"parent_account_id": b})).status_code == 200
    assert (await client.put(f"/v1/accounts/{b}", json={"parent_account_id": c})).status_code == 200
    refused = await client.put(f"/v1/accounts/{c}", json={"parent_account_id": a})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "parent_circle")
    rows = [
        {"account_id": f"{a}-x", "parent_account_id": f"{a}-y"},
        {"account_id": f"{a}-y", "parent_account_id": f"{a}-x"},
    ]
    batch = await client.post("/v1/directory/batch", json={"accounts": rows})
    assert [result["status"] for result in batch.json()["results"]] == ["accepted", "rejected"]


async def test_a_slash_in_an_id_runs_no_other_route(account: Account) -> None:
    await account.put("bob", name="Bob")
    answer = await account.client.delete(f"/v1/accounts/{account.id}%2Fstakeholders%2Fbob%2Fdata")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_id")
    assert (await account.get("bob"))["name"] == "Bob"

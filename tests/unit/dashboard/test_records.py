"""Records of the directory as forms: the texts in them, and the change that a form makes."""

from typing import Any

import pytest

from services.collector.handlers.inputs.directory import AccountInput, StakeholderInput
from services.dashboard.domain.records import (
    ACCOUNT_FIELDS,
    PERSON_FIELDS,
    FormField,
    change_of,
    differences,
    merged,
    texts_of,
    with_options,
)
from shared.api.directory import ACCOUNT, STAKEHOLDER, AccountView, StakeholderView
from shared.events.directory import AccountRecord, StakeholderRecord

KEPT_ELSEWHERE = {"account_id", "stakeholder_id", "attributes", "aliases", "email_changed_at", "previous"}
"""Members that no form shows: ids, and what programs keep in a record."""


def names_of(fields: Any) -> set[str]:
    return {field.name.partition(".")[0] for field in fields}


def test_the_forms_have_all_that_people_say_of_a_record() -> None:
    assert names_of(ACCOUNT_FIELDS) == set(AccountRecord.model_fields) - KEPT_ELSEWHERE
    assert names_of(PERSON_FIELDS) == set(StakeholderRecord.model_fields) - KEPT_ELSEWHERE


def test_a_record_fills_the_form() -> None:
    texts = texts_of(ACCOUNT_FIELDS, AccountView.model_validate(ACCOUNT).model_dump(mode="json"))
    assert (texts["owner.email"], texts["tier"], texts["renewal_on"]) == (
        "ana.silva@supplier.example",
        "key",
        "2027-01-31",
    )
    assert (texts["annual_revenue.amount"], texts["products"], texts["sponsor.name"]) == ("120000", "fleet", "")
    person = texts_of(PERSON_FIELDS, StakeholderView.model_validate(STAKEHOLDER).model_dump(mode="json"))
    assert (person["type"], person["mail_permission"]) == ("decision_maker", "granted")


@pytest.mark.parametrize(("amount", "text"), [(0.5, "0.5"), (1e15, "1000000000000000"), (120000, "120000"), (0, "0")])
def test_amounts_are_written_in_plain_digits(amount: float, text: str) -> None:
    record = {"annual_revenue": {"amount": amount, "currency": "EUR"}}
    assert texts_of(ACCOUNT_FIELDS, record)["annual_revenue.amount"] == text


@pytest.mark.parametrize(
    ("typed", "change"),
    [
        ({}, {}),
        ({"name": "Acme plc"}, {"name": "Acme plc"}),
        ({"name": " Acme Ltd "}, {}),
        ({"region": ""}, {"region": None}),
        ({"owner.name": "Bo Li"}, {"owner": {"name": "Bo Li"}}),
        ({"owner.name": ""}, {"owner": {"name": None}}),
        ({"owner.name": "", "owner.email": ""}, {"owner": None}),
        ({"annual_revenue.amount": "", "annual_revenue.currency": " "}, {"annual_revenue": None}),
        ({"products": "fleet, night route,"}, {"products": ["fleet", "night route"]}),
        ({"products": ""}, {"products": []}),
        ({"do_not_ask.reason": "a lawsuit"}, {"do_not_ask": {"reason": "a lawsuit"}}),
        ({"sponsor.email": "sam@x.example"}, {"sponsor": {"email": "sam@x.example"}}),
    ],
)
def test_a_form_sends_what_was_changed_and_nothing_else(typed: dict[str, str], change: dict[str, Any]) -> None:
    before = texts_of(ACCOUNT_FIELDS, AccountView.model_validate(ACCOUNT).model_dump(mode="json"))
    assert change_of(ACCOUNT_FIELDS, before, before | typed) == change
    AccountInput.model_validate(change)


def test_one_field_is_given_what_may_be_chosen_in_it() -> None:
    found = with_options(ACCOUNT_FIELDS, "industry", {"logistics": "Logistics"})
    changed = [field for field, before in zip(found, ACCOUNT_FIELDS, strict=True) if field != before]
    assert [(field.name, dict(field.options)) for field in changed] == [
        ("industry", {"": "–", "logistics": "Logistics"})
    ]


def test_a_new_person_is_what_was_typed() -> None:
    change = change_of(PERSON_FIELDS, {}, {"name": "Ann Lee", "type": "user", "job_title": ""})
    assert change == {"name": "Ann Lee", "type": "user"}
    StakeholderInput.model_validate(change)


def test_what_was_typed_stays_over_what_somebody_else_has_saved() -> None:
    fields = (FormField("tier", "Tier"), FormField("region", "Region"), FormField("name", "Name"))
    before = {"tier": "small", "region": "EMEA", "name": "Acme"}
    typed = {"tier": "small", "name": "Acme plc"}
    now = {"tier": "key", "region": "DACH", "name": "Acme SE"}
    assert merged(fields, before, typed, now) == {"tier": "key", "region": "", "name": "Acme plc"}


def test_what_somebody_else_has_changed_is_told_by_label_and_word() -> None:
    fields = (
        FormField("tier", "Tier", options={"key": "Key"}),
        FormField("region", "Region"),
        FormField("name", "Name"),
    )
    before = {"tier": "small", "region": "EMEA", "name": "Acme"}
    now = {"tier": "key", "region": "", "name": "Acme"}
    assert differences(fields, before, now) == ["Tier is now Key", "Region is now empty"]

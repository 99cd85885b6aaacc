"""People by their state, and one person with all they said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import AfterValidator, Field

from services.scorer.api.pages import Listing
from services.scorer.api.parameters import AccountId, AsOf, DirectoryFilters, Paged, StakeholderId, UpdatedSince
from services.scorer.api.resources import Resources, Scorer
from services.scorer.api.responses import response_body
from services.scorer.domain.categories import Category
from services.scorer.domain.questions import Filters
from services.scorer.domain.states import state_of
from services.scorer.store.reading.account import require_account
from services.scorer.store.reading.contacts import last_contacts
from services.scorer.store.reading.people import SORTS, PeopleQuestion, PersonKey, people_facts, people_page
from services.scorer.store.reading.responses import ResponsesQuestion, responses_page
from shared.api.people import Person, PersonWithResponses
from shared.db.directory import own_ids
from shared.db.transaction import ReadTx
from shared.errors import NotFound
from shared.events.directory import StakeholderType
from shared.http.auth import Reader
from shared.http.paging import Page
from shared.http.params import Instant, PathId, Search
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router

router = Router(tags=["people"], dependencies=[Depends(no_repeats)])
_SORT = Field(
    default="name",
    max_length=50,
    description="`name`, `score` (the latest) or `answered_at`; with `-` before it descending. Nulls last.",
    examples=["score"],
)


class PeopleQuery(Paged):
    """Which people, in which order, as of when."""

    category: Category | None = Field(default=None, description="Of their latest NPS answer.")
    type: StakeholderType | None = Field(default=None, description="Only people of this type.")
    silent: bool | None = Field(default=None, description="Only those who are silent, or who are not.")
    q: Search | None = Field(default=None, description="Only people with this text in their name, address or id.")
    email: Annotated[str, Field(min_length=3, max_length=200), AfterValidator(str.lower)] | None = Field(
        default=None,
        description="Only people with this e-mail address: in the directory, as an id, or with an answer of theirs.",
        examples=["ada@acme.example"],
    )
    answered_since: Instant | None = Field(
        default=None, description="Only people whose latest NPS answer was given at this moment or later."
    )
    updated_since: UpdatedSince = None
    as_of: AsOf = None
    contacts: bool = Field(default=False, description="Also when each was asked and answered last.")
    sort: str = _SORT


class EverybodyQuery(PeopleQuery, DirectoryFilters):
    """Which people of all accounts."""

    account_id: PathId | None = Field(default=None, description="Only people of this account.")


class PersonQuery(Parameters):
    """As of when."""

    as_of: AsOf = None


@router.get("/v1/accounts/{account_id}/stakeholders", response_model=Page[Person])
async def list_stakeholders_of_account(
    caller: Reader, resources: Resources, account_id: AccountId, asked: Annotated[PeopleQuery, Query()]
) -> dict[str, Any]:
    """The people of an account with their states: those in the directory and those ever asked or heard."""
    filters = Filters(stakeholder_type=asked.type)
    async with resources.database.read() as tx:
        await require_account(tx, account_id, caller.owner_email)
        return await people_list(tx, resources, asked, filters, caller.owner_email, account_id)


@router.get("/v1/stakeholders", response_model=Page[Person])
async def list_stakeholders(
    caller: Reader, resources: Resources, asked: Annotated[EverybodyQuery, Query()]
) -> dict[str, Any]:
    """People over all accounts by their state, such as all detractors: `category=detractor`."""
    filters = asked.filters()
    if asked.type:
        filters = replace(filters, stakeholder_type=asked.type)
    async with resources.database.read() as tx:
        return await people_list(tx, resources, asked, filters, caller.owner_email, asked.account_id)


@router.get("/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", response_model=PersonWithResponses)
async def get_stakeholder(
    caller: Reader,
    resources: Resources,
    account_id: AccountId,
    stakeholder_id: StakeholderId,
    asked: Annotated[PersonQuery, Query()],
) -> dict[str, Any]:
    """One person, by any of their ids: the directory's record, the state, and every live response up to as_of, oldest
    first.
    Somebody who is not in the directory and was neither asked nor heard by then is a 404."""
    as_of = resources.moment(asked.as_of)
    wanted = PeopleQuestion(
        filters=Filters(),
        owner_email=caller.owner_email,
        as_of=as_of,
        silent_after=resources.settings.silent_after(),
        sort="name",
        descending=False,
        limit=1,
        account_id=account_id,
    )
    said = ResponsesQuestion(
        Filters(), caller.owner_email, account_id=account_id, stakeholder_id=stakeholder_id, until=as_of
    )
    person = (account_id, stakeholder_id)
    async with resources.database.read() as tx:
        await require_account(tx, account_id, caller.owner_email)
        own_id = (await own_ids(tx, [person]))[person]
        people = await people_page(tx, replace(wanted, stakeholder_id=own_id))
        if not people:
            raise NotFound("unknown_stakeholder", "there is no such person at this account")
        bodies = await _bodies(tx, resources, as_of, people)
        responses = await responses_page(tx, said)
    return bodies[0] | {"responses": [response_body(row) for row in responses]}


async def people_list(
    tx: ReadTx,
    resources: Scorer,
    asked: PeopleQuery,
    filters: Filters,
    owner_email: str | None,
    account_id: str | None,
) -> dict[str, Any]:
    """A page of people with their states, as the lists answer it; also for the export."""
    listing = Listing("people", asked.sort, SORTS, "account_id", "stakeholder_id")
    as_of = resources.moment(asked.as_of)
    wanted = PeopleQuestion(
        filters=filters,
        owner_email=owner_email,
        as_of=as_of,
        current=asked.as_of is None,
        silent_after=resources.settings.silent_after(),
        sort=listing.sort,
        descending=listing.descending,
        limit=asked.limit,
        account_id=account_id,
        category=asked.category,
        silent=asked.silent,
        q=asked.q,
        email=asked.email,
        answered_since=asked.answered_since,
        updated_since=asked.updated_since,
        after=listing.position(asked.cursor),
    )
    rows, cursor = listing.cut(await people_page(tx, wanted), asked.limit)
    bodies = await _bodies(tx, resources, as_of, rows)
    if asked.contacts:
        contacts = await last_contacts(tx, [_key(body) for body in bodies], as_of)
        for body in bodies:
            body["contacts"] = contacts[_key(body)]
    return {"items": bodies, "next_cursor": cursor}


async def _bodies(
    tx: ReadTx, resources: Scorer, as_of: datetime, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    keys = list(map(_key, rows))
    facts = await people_facts(tx, keys, as_of)
    silent_after = resources.settings.silent_after()
    bodies = []
    for row, key in zip(rows, keys, strict=True):
        state = state_of(facts[key], as_of, silent_after.of(row["type"]))
        bodies.append(_person(row) | {"state": state})
    return bodies


def _key(row: Mapping[str, Any]) -> PersonKey:
    return row["account_id"], row["stakeholder_id"]


def _person(row: dict[str, Any]) -> dict[str, Any]:
    record = row["record"] or {}
    return {
        "account_id": row["account_id"],
        "stakeholder_id": row["stakeholder_id"],
        "account_name": row["account_name"],
        "name": row["name"],
        "email": row["email"],
        "type": row["type"],
        "job_title": row["job_title"],
        "job_level": row["job_level"],
        "job_function": record.get("job_function"),
        "location": record.get("location"),
        "language": record.get("language"),
        "time_zone": record.get("time_zone"),
        "mail_permission": record.get("mail_permission") or "unknown",
        "attributes": record.get("attributes") or {},
        "removed": bool(row["removed"]),
        "aliases": record.get("aliases") or [],
        "previous": record.get("previous"),
        "contacts": None,
    }

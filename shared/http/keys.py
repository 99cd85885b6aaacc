"""`/v1/keys`: make, list and revoke API keys, with a key that may manage. Mounted by the collector."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from shared.access import store
from shared.access.browser import BrowserSecrets
from shared.access.caller import Scope
from shared.access.records import KeyRecord
from shared.access.rights import require_may_give, require_may_revoke
from shared.api.keys import OWNER_ONLY, Key, NewKey
from shared.errors import NotFound
from shared.http import paging
from shared.http.auth import Manager
from shared.http.deps import TheClock, TheDatabase
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, page_of, read_cursor
from shared.http.params import Instant
from shared.http.routing import Router
from shared.telemetry.logging import get_logger

_LIST = "keys"
log = get_logger(__name__)
router = Router(tags=["access"])


class KeyRequest(BaseModel):
    """What is wanted of a key."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "survey frontend", "scopes": ["ingest"]}]}
    )

    name: str = Field(min_length=1, max_length=store.MAX_NAME_LENGTH)
    scopes: list[Scope] = Field(default=[], max_length=5, description="One or more; none of a publishable key.")
    publishable: bool = Field(
        default=False, strict=True, description="For browsers: may post responses and nothing else, and may be seen."
    )
    origins: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=store.MAX_ORIGINS,
        description="The pages a publishable key works on.",
        examples=[["https://app.acme.example"]],
    )
    require_signature: bool = Field(
        default=False, strict=True, description="Posts with a publishable key must be signed by your server."
    )
    owner_email: str | None = Field(default=None, max_length=320, description=OWNER_ONLY)
    expires_at: Instant | None = None
    rate_limit: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="Requests a minute; none unless set. Of a publishable key for each address, 60 unless set.",
    )


@router.post("/v1/keys", status_code=201, summary="Make a key")
async def create(
    wanted: KeyRequest, request: Request, caller: Manager, database: TheDatabase, clock: TheClock
) -> NewKey:
    """A key gives only what it has: scopes, `ingest` for a publishable key, its owner's accounts, its rate limit and
    its time."""
    scopes = frozenset(wanted.scopes)
    if wanted.publishable and wanted.scopes == ["ingest"]:
        scopes = frozenset()
    new_key = store.NewKey(
        name=wanted.name,
        scopes=scopes,
        owner_email=wanted.owner_email,
        expires_at=wanted.expires_at,
        rate_limit=wanted.rate_limit,
        publishable=wanted.publishable,
        origins=tuple(wanted.origins),
        require_signature=wanted.require_signature,
    )
    require_may_give(caller, new_key)
    browsers = BrowserSecrets(request.app.state.plumbing.settings.key_ring)
    async with database.write() as tx:
        issued = await store.create_key(tx, new_key, clock.now(), browsers)
    log.info("key_created", key_id=issued.record.id, scopes=sorted(wanted.scopes), by=caller.key_id)
    request.app.state.plumbing.keys.forget(issued.record.id)
    return NewKey(**_shown(issued.record).model_dump(), key=issued.token, signing_secret=issued.signing_secret)


@router.get("/v1/keys", summary="List keys, the newest first")
async def list_all(
    caller: Manager, database: TheDatabase, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Key]:
    """Also expired and revoked ones."""
    after = None
    if cursor:
        created_at, key_id = read_cursor(cursor, _LIST, paging.instant, paging.text)
        after = (created_at, key_id)
    async with database.read() as tx:
        records = await store.list_keys(tx, owner_email=caller.owner_email, after=after, limit=limit + 1)
    page = page_of(records, limit, lambda record: (record.created_at, record.id), _LIST)
    return Page(items=[_shown(record) for record in page.items], next_cursor=page.next_cursor)


@router.delete("/v1/keys/{key_id}", status_code=204, response_class=Response, summary="Revoke a key")
async def revoke(key_id: str, request: Request, caller: Manager, database: TheDatabase, clock: TheClock) -> None:
    """For good; every service refuses it within 10 seconds. Revoking twice changes nothing. A key that may do more
    than the caller's cannot be revoked by it."""
    async with database.write() as tx:
        record = await store.find_key(tx, key_id)
        if record is None or caller.owner_email not in (None, record.owner_email):
            raise NotFound("key_not_found", "there is no such key")
        require_may_revoke(caller, record)
        await store.revoke_key(tx, key_id, clock.now())
    request.app.state.plumbing.keys.forget(key_id)
    log.info("key_revoked", key_id=key_id, by=caller.key_id)


def _shown(record: KeyRecord) -> Key:
    return Key(
        id=record.id,
        name=record.name,
        scopes=sorted(record.scopes),
        owner_email=record.owner_email,
        publishable=record.publishable,
        origins=list(record.origins),
        require_signature=record.require_signature,
        rate_limit=record.rate_limit,
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
        last_used_at=record.last_used_at,
    )

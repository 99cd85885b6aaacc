"""What business reviews hold of people who are erased."""

from collections.abc import Collection

from services.outreach.store import reviews as store
from shared.db.transaction import WriteTx
from shared.erasure import Names


async def erase_from_reviews(tx: WriteTx, account_id: str, ids: Collection[str]) -> int:
    """Delete the comments of a person, by all their ids at the account, and what was done about them, and take their
    names out of introductions. To be called while the directory still knows the person. Figures hold nobody. Returns
    how many comments and deeds went."""
    names = Names(await store.names_of(tx, account_id, ids), account_id)
    for review_id, intro in await store.intros_of(tx, account_id):
        redacted = names.redacted(intro)
        if redacted != intro:
            await store.set_intro(tx, review_id, redacted)
    return await store.forget(tx, account_id, ids)

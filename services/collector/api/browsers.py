"""Rules of posts with a publishable key: signatures, and the token to amend the posted response."""

from typing import Annotated

from fastapi import Header
from pydantic import ValidationError

from services.collector.api.resources import Collector
from services.collector.handlers.inputs.responses import Amendment, NewResponse
from services.collector.handlers.responses import who
from shared.access.browser import AMENDABLE_FOR, AmendGrant, Signer
from shared.access.caller import Caller
from shared.errors import Forbidden
from shared.events.envelope import Event
from shared.events.posted import posted
from shared.events.responses import ResponseRecorded
from shared.http.problem import invalid

AMENDABLE = frozenset({"comment", "answers"})
Signature = Annotated[
    str | None,
    Header(
        alias="tellback-signature",
        max_length=200,
        description="With a publishable key that requires it: HMAC-SHA256, in hex, of the account, a line feed and the"
        " person (stakeholder_id, else the e-mail in lower case), keyed by the key's signing secret.",
    ),
]


def check_signature(collector: Collector, caller: Caller, body: NewResponse, signature: str | None) -> None:
    """Raises `Forbidden` when the key requires a signature and this one does not match account and person."""
    if not (caller.publishable and caller.require_signature):
        return
    signer = Signer(caller.key_id, body.account_id, who(body.stakeholder_id, body.email))
    if signature is None or not collector.browsers.signed(signature, caller.sealed_signing_secret, signer):
        raise Forbidden("signature_invalid", "the key takes only what your server has signed")


def amend_token(collector: Collector, caller: Caller, event: Event) -> str | None:
    """The token that lets the same browser amend comment and answers; None for other keys."""
    data = event.data
    if not caller.publishable or not isinstance(data, ResponseRecorded):
        return None
    grant = AmendGrant(
        caller.key_id,
        data.response_id,
        data.account_id,
        data.stakeholder_id,
        data.survey_type,
        posted(vars(data)),
        collector.clock.now() + AMENDABLE_FOR,
    )
    return collector.browsers.amend_token(grant)


def checked_amendment(
    collector: Collector, caller: Caller, response_id: str, body: Amendment
) -> tuple[Amendment, str | None]:
    """The amendment and the digest of the response that it is meant for. An amendment from a browser names the person
    and the survey of its token, so that an erasure finds it even if its response never arrives. Raises `Forbidden` when
    a publishable key amends another response than the one of its token, or other fields; `Invalid` for fields that such
    a survey does not have."""
    if not caller.publishable:
        return body, None
    grant = collector.browsers.amend_grant(body.amend_token or "", collector.clock.now())
    about = (caller.key_id, response_id, body.account_id)
    if grant is None or (grant.key_id, grant.response_id, grant.account_id) != about:
        raise Forbidden("amend_token_invalid", "the token does not allow this amendment, or no longer")
    granted = {"stakeholder_id": grant.stakeholder_id, "survey_type": grant.survey_type}
    said = body.model_dump(include=set(granted), exclude_none=True)
    if not said.items() <= granted.items() or not body.changes().keys() <= AMENDABLE:
        raise Forbidden("not_amendable", "a browser may amend comment and answers of what it posted")
    try:
        return Amendment.model_validate(body.model_dump(exclude_unset=True) | granted), grant.posted
    except ValidationError as error:
        raise invalid(error) from None

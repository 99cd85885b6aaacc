"""Errors as people read them."""

import pytest

from services.dashboard.web.sentences import sentence_of, why_not_done, why_not_shown
from shared.errors import Conflict, Invalid, NotFound, TellbackError
from shared.http.client import Away

FAULT = {"field": "by", "code": "invalid_by", "detail": "must lie ahead"}


def of_alerting(error: TellbackError) -> TellbackError:
    """The error as it comes over alerting's API."""
    error.service = "alerting"
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Invalid("invalid_request", "the request is not valid", errors=[FAULT]), "by: must lie ahead"),
        (Invalid("invalid_email", "This is not an e-mail address."), "This is not an e-mail address."),
    ],
)
def test_the_fields_at_fault_are_said_before_all_else(error: TellbackError, sentence: str) -> None:
    assert sentence_of(error) == why_not_done(error) == why_not_shown(error) == sentence


def test_what_somebody_else_changed_is_on_the_page_and_a_rule_of_ours_is_said_as_it_is() -> None:
    stale = of_alerting(Conflict("stale_version", "it was changed meanwhile"))
    assert why_not_done(stale) == "it was changed meanwhile. The page shows how it stands now."
    assert why_not_done(Conflict("last_admin", "This is the last admin.")) == "This is the last admin."


def test_a_service_that_is_away_has_changed_nothing() -> None:
    assert why_not_done(Away("alerting")) == "The follow-up service is not reachable. Nothing was changed."
    assert why_not_shown(Away("scorer")) == "The scorer is not reachable"


def test_what_is_not_there_or_not_ones_own_is_said_the_same() -> None:
    assert why_not_shown(NotFound("unknown_account")) == "There is nothing here, or it is not yours"

"""Coverage and the invitation figures."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.counts import Known
from services.scorer.domain.funnel import funnel_figures
from services.scorer.domain.invitations import (
    Invitation,
    InvitationCounts,
    Reply,
    count_invitations,
    invitation_figures,
)
from services.scorer.domain.windows import Span

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MONTH = Span(NOW - timedelta(days=30), NOW)


def ago(days: float) -> datetime:
    """So many days before the moment in question."""
    return NOW - timedelta(days=days)


def test_rates_are_shares_of_those_sent_and_not_bounced() -> None:
    invitations = [
        Invitation("ann", ago(5), ago(5), ago(4), None, None, (Reply(ago(3), commented=True), Reply(ago(2)))),
        Invitation("ben", ago(5), ago(5), ago(4), ago(4), None, (Reply(ago(3), follow_up_requested=True),)),
        Invitation("cat", ago(5), ago(5), None, None),
        Invitation("dan", ago(5), ago(5), None, None),
        Invitation("eve", ago(5), bounced_at=ago(5)),
        Invitation("old", ago(31), ago(31), ago(31), None, None, (Reply(ago(1)),)),
    ]
    counts = count_invitations(invitations, MONTH)
    assert counts == InvitationCounts(5, 5, 4, 2, started=1, bounced=1, answered=2, commented=1, follow_up_requested=1)
    figures = invitation_figures(counts)
    assert (figures["response_rate"], figures["open_rate"], figures["bounce_rate"]) == (0.5, 0.5, 0.2)
    assert (figures["comment_rate"], figures["follow_up_request_rate"]) == (0.25, 0.25)


def test_what_happened_after_the_moment_is_not_known_yet() -> None:
    later = NOW + timedelta(days=1)
    counts = count_invitations(
        [Invitation("ann", ago(1), later, later, later, later, (Reply(later, commented=True),))], MONTH
    )
    assert counts == InvitationCounts(asked=1, sent=1)


def test_what_was_taken_back_is_counted_unless_it_bounced_or_was_answered() -> None:
    back = ago(2)
    invitations = [
        Invitation("ann", ago(5), withdrawn_at=back),
        Invitation("ben", ago(5), replies=(Reply(ago(3)),), withdrawn_at=back),
        Invitation("cat", ago(5), bounced_at=ago(4), withdrawn_at=back),
        Invitation("dan", ago(5), withdrawn_at=NOW + timedelta(days=1)),
    ]
    counts = count_invitations(invitations, MONTH)
    assert (counts.sent, counts.withdrawn, counts.answered, counts.bounced) == (4, 1, 1, 1)


def test_deliveries_that_nobody_reports_are_not_none_of_them() -> None:
    unknown = funnel_figures(InvitationCounts(asked=4, sent=4, answered=2))
    assert (unknown["delivered_count"], unknown["delivered_rate"]) == (None, None)
    assert unknown["warnings"] == ["deliveries_not_reported"]
    known = funnel_figures(InvitationCounts(asked=4, sent=4, delivered=1))
    assert (known["delivered_count"], known["delivered_rate"], known["warnings"]) == (1, 0.25, [])
    nobody = funnel_figures(InvitationCounts(asked=1, sent=1, bounced=1))
    assert (nobody["delivered_count"], nobody["delivered_rate"], nobody["warnings"]) == (0, None, [])


def test_without_invitations_there_are_no_rates() -> None:
    figures = invitation_figures(InvitationCounts())
    assert figures["sent_count"] == 0
    assert figures["response_rate"] is figures["bounce_rate"] is None


@given(st.lists(st.integers(-40, 40).map(ago)), st.integers(-50, 50).map(ago))
def test_people_are_known_from_their_first_answer_on(first: list[datetime], as_of: datetime) -> None:
    known = Known(4, sorted(first))
    assert known.count(as_of) == 4 + sum(moment <= as_of for moment in first)

"""The kinds of follow-ups are said in several places: in the rules, in the words of the pages, in what a client sees of
them, in the table of docs/alerting.md. They say the same."""

from services.alerting.domain.default_rules import DEFAULT_RULES
from services.alerting.domain.rules import Rule
from services.benchmark.domain.reviews import VOICED
from services.dashboard.domain.follow_ups import KINDS
from tests.architecture.tree import ROOT

SHIPPED = {rule.kind for rule in DEFAULT_RULES}
BY_HAND = {"manual": "By hand", "review_due": "Business review due"}
"""Kinds that no rule opens: people do, and outreach, which reminds of business reviews."""
OUR_OWN_BUSINESS = {
    "account_score_drop",
    "account_class_changed",
    "renewal_risk",
    "segment_drop",
    "detractor_burst",
    "new_promoter",
    "recovered",
}
"""Kinds that a client is shown nothing of in a review pack."""
HEAD = "| kind | when | severity | first touch due | to | taken in by |"


def test_the_pages_have_a_word_for_every_kind_and_for_no_other() -> None:
    assert KINDS.keys() == SHIPPED | BY_HAND.keys()


def test_the_word_for_a_kind_is_a_label_of_one_of_its_rules() -> None:
    labels = {(rule.kind, rule.label) for rule in DEFAULT_RULES}
    assert BY_HAND.items() <= KINDS.items()
    assert KINDS.items() - BY_HAND.items() <= labels


def test_every_kind_is_shown_to_clients_or_our_own_business() -> None:
    assert VOICED | OUR_OWN_BUSINESS == SHIPPED
    assert VOICED.isdisjoint(OUR_OWN_BUSINESS)


def test_the_table_of_kinds_says_what_the_rules_say() -> None:
    """Row by row in the order of the rules; rules that say the same share a row."""
    assert documented() == list(dict.fromkeys(map(said, DEFAULT_RULES)))


def documented() -> list[tuple[str, ...]]:
    """Kind, severity, due time, recipients and what takes it in, of each row of the table."""
    page = (ROOT / "docs" / "alerting.md").read_text(encoding="utf-8")
    table = page.partition(HEAD)[2].partition("\n\n")[0]
    rows = []
    for line in table.splitlines()[2:]:
        kind, _, *others = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append((kind, *others))
    return rows


def said(rule: Rule) -> tuple[str, ...]:
    """The same of a rule, as the table words it."""
    due = f"{rule.due.amount} {rule.due.unit.replace('_', ' ')}"
    if rule.due.amount == 1:
        due = due.removesuffix("s")
    recipients = rule.recipient + "".join(f", {other} informed" for other in rule.informs)
    hosts = ", ".join(f"`{kind}`" for kind in rule.inhibited_by)
    return f"`{rule.kind}`", rule.severity, due, recipients, hosts

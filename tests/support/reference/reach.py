"""The invitation funnel and the gaps of coverage, from their definitions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.support.reference.questions import described, invitation_figures, known_people, matches, spans, within
from tests.support.reference.scores import adjusted, category, nps, number, pick
from tests.support.reference.world import Invite, World

OPEN = "without_decision_maker", "single_threaded", "never_asked_in_12_months"


def funnel(
    world: World, window: str, as_of: datetime, by: Sequence[str], classes: Mapping[str, str], **wanted: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Group → counts and rates."""
    after, upto = spans(window, as_of)[0]
    groups: dict[tuple[Any, ...], list[Any]] = {} if by else {(): []}
    for invite in world.invites:
        record = described(world, (invite.account_id, invite.stakeholder_id), classes)
        record |= {"survey_id": invite.survey_id, "channel": invite.channel}
        if invite.sent_at and after < invite.sent_at <= upto and matches(record, wanted):
            groups.setdefault(tuple(record[name] for name in by), []).append(invite)
    return {key: _figures(world, sent, as_of) for key, sent in groups.items()}


def _figures(world: World, sent: list[Any], as_of: datetime) -> dict[str, Any]:
    figures = invitation_figures(world, sent, as_of)
    begun = sum(invite.started_at is not None and invite.started_at <= as_of for invite in sent)
    recipients = len(sent) - figures["bounced_count"]
    share = figures["response_rate"]
    answered = round(share * recipients) if share is not None else 0
    delivered: int | None = figures["delivered_count"]
    rate, warnings = None, []
    if recipients and not delivered:
        delivered, warnings = None, ["deliveries_not_reported"]
    elif recipients:
        rate = number(Fraction(figures["delivered_count"], recipients))
    return figures | {
        "delivered_count": delivered,
        "withdrawn_count": sum(_is_withdrawn(world, invite, as_of) for invite in sent),
        "warnings": warnings,
        "started_count": begun,
        "answered_count": answered,
        "start_rate": number(Fraction(begun, recipients)) if recipients else None,
        "delivered_rate": rate,
        "completion_rate": number(Fraction(answered, begun)) if begun else None,
    }


def _is_withdrawn(world: World, invite: Invite, as_of: datetime) -> bool:
    """Taken back by then, and by then neither bounced nor answered."""
    if invite.withdrawn_at is None or invite.withdrawn_at > as_of:
        return False
    share = invitation_figures(world, [invite], as_of)["response_rate"]
    return share is not None and not share


def gaps(world: World, window: str, as_of: datetime, **wanted: str) -> dict[str, Any]:
    """Counts, and the ids of the accounts of each list."""
    after, upto = spans(window, as_of)[0]
    heard = [submission for submission in world.submissions if submission.live and submission.answered_at <= upto]
    asked = [invite for invite in world.invites if invite.sent_at is not None and invite.sent_at <= upto]
    listed = {(person.account_id, person.stakeholder_id) for person in world.people if not person.removed}
    people = {(submission.account_id, submission.stakeholder_id) for submission in heard} | listed
    people |= {(invite.account_id, invite.stakeholder_id) for invite in asked}
    people = {person for person in people if not world.person(*person).removed}
    accounts = {account for account, _ in people} | {client.account_id for client in world.clients}
    chosen = sorted(
        account
        for account in accounts
        if not world.client(account).removed and matches(world.attributes(account, None), wanted)
    )
    found: dict[str, Any] = {"people": dict.fromkeys(("known", "asked", "answered"), 0)}
    found |= {name: [] for name in OPEN} | {"accounts": {"known": len(chosen), "asked": 0, "answered": 0}}
    for account in chosen:
        own = {person for person in people if person[0] == account}
        known = own & (known_people(world, as_of) | listed)
        invited = [invite for invite in asked if (invite.account_id, invite.stakeholder_id) in own]
        sizes = {
            "known": len(known),
            "asked": len({invite.stakeholder_id for invite in invited if invite.sent_at and invite.sent_at > after}),
            "answered": len(
                {
                    submission.stakeholder_id
                    for submission in heard
                    if (submission.account_id, submission.stakeholder_id) in own and submission.answered_at > after
                }
            ),
        }
        for name, size in sizes.items():
            found["people"][name] += size
            found["accounts"][name] += bool(size) if name != "known" else 0
        if not any(world.person(*person).type == "decision_maker" for person in own & listed):
            found["without_decision_maker"].append(account)
        if len(known) == 1:
            found["single_threaded"].append(account)
        if not any(invite.sent_at and invite.sent_at > as_of - timedelta(days=365) for invite in invited):
            found["never_asked_in_12_months"].append(account)
    return found


def selection(world: World, window: str, as_of: datetime, **wanted: str) -> dict[str, Any]:
    """Scores before the window of people asked in it, and of people who were not."""
    after, upto = spans(window, as_of)[0]
    everything = (datetime.min.replace(tzinfo=as_of.tzinfo), after)
    sides: dict[bool, list[Any]] = {True: [], False: []}
    for voice in pick(within(list(world.voices("nps")), everything), "latest"):
        account, person = voice["person"]
        gone = world.client(account).removed or world.person(account, person).removed
        if gone or not matches(world.attributes(account, None), wanted):
            continue
        asked = any(
            (invite.account_id, invite.stakeholder_id) == voice["person"]
            and invite.sent_at
            and after < invite.sent_at <= upto
            for invite in world.invites
        )
        sides[asked].append(voice)
    scores = {asked: nps(voices) for asked, voices in sides.items()}
    chosen, left = scores[True], scores[False]
    difference = None if chosen is None or left is None else chosen - left
    z = None
    if difference is not None:
        (mean, error), (mean_left, error_left) = (
            adjusted([category(voice["score"]) for voice in sides[side]]) for side in (True, False)
        )
        z = (mean - mean_left) / (error + error_left) ** 0.5
    return {
        "asked": {"nps": number(chosen), "stakeholder_count": len(sides[True])},
        "left_out": {"nps": number(left), "stakeholder_count": len(sides[False])},
        "difference": number(difference),
        "z": z,
    }

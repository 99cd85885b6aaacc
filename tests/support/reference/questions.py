"""The questions of the API, answered from the whole world."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.reference.scores import FACTOR, Voice, category, compared, number, pick, whole
from tests.support.reference.world import World

DIRECTORY = ("account_id", "industry", "tier", "region", "owner", "class")
PERSON = ("stakeholder_type", "job_level")


def spans(window: str, as_of: datetime) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime] | None]:
    """(after, upto] of the window and of the one before."""
    if window == "all":
        return (datetime.min.replace(tzinfo=as_of.tzinfo), as_of), None
    length = timedelta(days=int(window.removesuffix("d")))
    return (as_of - length, as_of), (as_of - 2 * length, as_of - length)


def within(voices: list[Voice], span: tuple[datetime, datetime]) -> list[Voice]:
    """The voices within the span."""
    return [voice for voice in voices if span[0] < voice["at"] <= span[1]]


def matches(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a record has all the wanted values; attributes that it lacks are ignored."""
    return all(record.get(name) == value for name, value in wanted.items() if name in record)


def key_of(record: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    """The group of a record."""
    return tuple(record[name] for name in names)


def account_score(
    world: World, account_id: str, window: str, method: str, as_of: datetime, **wanted: str
) -> dict[str, Any]:
    """The body of an account's score, without the keys that name the question."""
    return portfolio_score(world, window, method, as_of, **wanted, account_id=account_id)


def portfolio_score(world: World, window: str, method: str, as_of: datetime, **wanted: str) -> dict[str, Any]:
    """The single group of a question without group_by."""
    survey_type = wanted.pop("survey_type", "nps")
    now, before = picked(world, window, method, as_of, survey_type, wanted)
    return compared(now, before, survey_type) | reach(world, window, as_of, {}, wanted, {})


def grouped(
    world: World,
    window: str,
    method: str,
    as_of: datetime,
    by: Sequence[str],
    classes: Mapping[str, str],
    **wanted: str,
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Group → figures, for the groups in which anything counts."""
    survey_type = wanted.pop("survey_type", "nps")
    now, before = picked(world, window, method, as_of, survey_type, wanted)
    for voice in [*now, *(before or [])]:
        voice["class"] = classes.get(voice["account_id"])
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for key in {key_of(voice, by) for voice in now}:
        in_now = [voice for voice in now if key_of(voice, by) == key]
        in_before = None if before is None else [voice for voice in before if key_of(voice, by) == key]
        figures = compared(in_now, in_before, survey_type)
        group = dict(zip(by, key, strict=True))
        groups[key] = figures | reach(world, window, as_of, group, wanted, classes)
    return groups


def picked(
    world: World, window: str, method: str, as_of: datetime, survey_type: str, wanted: Mapping[str, str]
) -> tuple[list[Voice], list[Voice] | None]:
    """The voices that the method counts: now, and before (None before all time)."""
    chosen = [
        voice for voice in world.voices(survey_type) if all(voice[name] == value for name, value in wanted.items())
    ]
    span, span_before = spans(window, as_of)
    before = None if span_before is None else pick(within(chosen, span_before), method)
    return pick(within(chosen, span), method), before


def account_means(
    now: list[Voice], before: list[Voice] | None, weights: Mapping[str, Decimal] | None
) -> dict[str, Any]:
    """nps, nps_rounded, previous nps and change by the mean of the accounts, weighted where weights are
    given."""
    mean_now = mean_of(now, weights)
    mean_before = None if before is None else mean_of(before, weights)
    both = mean_now is not None and mean_before is not None
    return {
        "nps": number(mean_now),
        "nps_rounded": whole(mean_now),
        "previous_nps": number(mean_before),
        "change": number(mean_now - mean_before) if both and mean_now is not None and mean_before is not None else None,
    }


def mean_of(voices: list[Voice], weights: Mapping[str, Decimal] | None) -> Fraction | None:
    """Σ weight · score of the account over Σ weight, of the accounts where anything counts and that have a
    weight."""
    total = weighted = Fraction(0)
    for account_id in {voice["account_id"] for voice in voices}:
        if weights is not None and account_id not in weights:
            continue
        weight = Fraction(1) if weights is None else Fraction(weights[account_id])
        factors = [FACTOR[category(voice["score"])] for voice in voices if voice["account_id"] == account_id]
        total += weight
        weighted += weight * Fraction(100 * sum(factors), len(factors))
    return weighted / total if total else None


def reach(
    world: World,
    window: str,
    as_of: datetime,
    group: Mapping[str, Any],
    wanted: Mapping[str, Any],
    classes: Mapping[str, str],
) -> dict[str, Any]:
    """People known and asked, and the invitation figures, of one group. None where the group is split by
    something that people or invitations do not have."""
    by = set(group)
    span, _ = spans(window, as_of)
    people_known = [
        person
        for person in known_people(world, as_of)
        if matches(described(world, person, classes), wanted) and matches(described(world, person, classes), group)
    ]
    sent = []
    for invite in world.invites:
        record = described(world, (invite.account_id, invite.stakeholder_id), classes)
        record |= {"survey_id": invite.survey_id, "channel": invite.channel}
        in_time = invite.sent_at is not None and span[0] < invite.sent_at <= span[1]
        if in_time and matches(record, wanted) and matches(record, group):
            sent.append(invite)
    figures = invitation_figures(world, sent, as_of)
    can_know = by <= {*DIRECTORY, *PERSON}
    can_ask = by <= {*DIRECTORY, *PERSON, "survey_id", "channel"}
    asked = len({(invite.account_id, invite.stakeholder_id) for invite in sent})
    if not can_ask:
        figures = dict.fromkeys(figures)
    return figures | {"people": (len(people_known) if can_know else None, asked if can_ask else None)}


def described(world: World, person: tuple[str, str], classes: Mapping[str, str]) -> dict[str, Any]:
    """A person with the attributes of the directory."""
    return world.attributes(*person) | {"class": classes.get(person[0])}


def known_people(world: World, as_of: datetime) -> set[tuple[str, str]]:
    """People in the directory, or who have answered up to the moment."""
    listed = {
        (person.account_id, person.stakeholder_id)
        for person in world.people
        if not person.removed and not world.client(person.account_id).removed
    }
    heard = {
        (submission.account_id, submission.stakeholder_id)
        for submission in world.submissions
        if submission.live and submission.answered_at <= as_of
    }
    return listed | heard


def invitation_figures(world: World, sent: list[Any], as_of: datetime) -> dict[str, Any]:
    """Counts and rates of these invitations, as they stood at as_of."""

    def happened(moment: datetime | None) -> bool:
        return moment is not None and moment <= as_of

    arrived = [invite for invite in sent if not happened(invite.bounced_at)]
    replies = [
        [
            reply
            for reply in world.submissions
            if reply.live
            and reply.answered_at <= as_of
            and (reply.account_id, reply.stakeholder_id, reply.invitation_id)
            == (invite.account_id, invite.stakeholder_id, invite.invitation_id)
        ]
        for invite in arrived
    ]
    counts = Counter(
        answered=sum(bool(found) for found in replies),
        commented=sum(any(bool(reply.comment and reply.comment.strip()) for reply in found) for found in replies),
        wished=sum(any(reply.follow_up_requested for reply in found) for found in replies),
        opened=sum(happened(invite.opened_at) for invite in sent),
    )

    def rate(name: str) -> float | None:
        return number(Fraction(counts[name], len(arrived))) if arrived else None

    return {
        "sent_count": len(sent),
        "delivered_count": sum(happened(invite.delivered_at) for invite in sent),
        "opened_count": counts["opened"],
        "bounced_count": len(sent) - len(arrived),
        "response_rate": rate("answered"),
        "open_rate": rate("opened"),
        "bounce_rate": number(Fraction(len(sent) - len(arrived), len(sent))) if sent else None,
        "comment_rate": rate("commented"),
        "follow_up_request_rate": rate("wished"),
    }


def account_class(world: World, account_id: str, as_of: datetime) -> str:
    """The first class whose definition fits."""
    voices = [voice for voice in world.voices("nps") if voice["account_id"] == account_id]
    latest = pick(within(voices, spans("365d", as_of)[0]), "latest")
    asked = any(
        invite.account_id == account_id and invite.sent_at and invite.sent_at <= as_of for invite in world.invites
    )
    heard = any(
        submission.account_id == account_id and submission.live and submission.answered_at <= as_of
        for submission in world.submissions
    )
    if not latest:
        return "silent" if asked or heard else "unknown"
    names = [category(voice["score"]) for voice in latest]
    promoters = Fraction(100 * names.count("promoter"), len(names))
    detractors = Fraction(100 * names.count("detractor"), len(names))

    def side(kind: str) -> list[int]:
        return [FACTOR[category(voice["score"])] for voice in latest if voice["stakeholder_type"] == kind]

    deciders, users = side("decision_maker"), side("user")
    if (detractors >= 30 and detractors > promoters) or -1 in deciders:
        return "at_risk"
    if promoters >= 60 and detractors <= 15:
        return "ambassador"
    opposite = (sum(deciders) > 0 > sum(users)) or (sum(deciders) < 0 < sum(users))
    if (promoters >= 20 and detractors >= 20) or opposite:
        return "divided"
    return "steady"


def category_changes(world: World) -> list[dict[str, Any]]:
    """Every change of category between consecutive live NPS answers of a person and nps_kind."""
    found = []
    for person, kind in {(voice["person"], voice["nps_kind"]) for voice in world.voices("nps")}:
        series = sorted(
            (voice for voice in world.voices("nps") if (voice["person"], voice["nps_kind"]) == (person, kind)),
            key=lambda voice: (voice["at"], voice["response_id"]),
        )
        previous: Voice | None = None
        for voice in series:
            name = category(voice["score"])
            earlier = category(previous["score"]) if previous else None
            if name != earlier:
                found.append(
                    {
                        "kind": f"{earlier}_to_{name}" if earlier else f"new_{name}",
                        "account_id": person[0],
                        "stakeholder_id": person[1],
                        "response_id": voice["response_id"],
                        "previous_response_id": previous["response_id"] if previous else None,
                        "at": voice["at"],
                    }
                )
            previous = voice
    return found

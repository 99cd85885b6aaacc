"""The demo year as data: the requests to be posted, in order. The same seed and day give the same story."""

import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.cli.demo.cast import (
    CLIENTS,
    COMMENTS,
    FIRST_NAMES,
    JOBS,
    LAST_NAMES,
    OWNERS,
    RATED,
    SPONSOR,
    TOUCHPOINTS,
    Client,
    StakeholderType,
)
from shared.demo import ATTRIBUTE
from shared.ids import derived_uuid

WAVES = (460, 368, 276, 184, 96, 9)
"""Days before today on which each quarterly survey was sent: a year, and one survey before it to compare with. The last
is recent enough to open follow-ups."""
DECISION_MAKER_WAVES = (460, 276, 96, 9)
HERO = ("northwind", "mara.lindqvist@northwind.example")
"""The promoter who becomes a passive in the README's example."""
Item = dict[str, Any]


@dataclass(slots=True)
class Story:
    """Everything the demo posts."""

    accounts: list[Item] = field(default_factory=list)
    stakeholders: list[Item] = field(default_factory=list)
    invitations: list[Item] = field(default_factory=list)
    responses: list[Item] = field(default_factory=list)
    context: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a client; `offset` is how far their scores lie above or below the account's mood."""

    email: str
    type: StakeholderType
    offset: float


def tell(today: date, seed: int = 7) -> Story:
    """The story of the year that ends today."""
    story = Story()
    for number, client in enumerate(CLIENTS):
        # Not hash(), which has a new salt in every process.
        chance = random.Random(zlib.crc32(f"{seed}/{client.account_id}".encode()))  # noqa: S311
        people = _introduce(story, client, number, today, chance)
        for wave, days in enumerate(WAVES):
            for person in people:
                if person.type == "decision_maker" and days not in DECISION_MAKER_WAVES:
                    continue
                _ask(story, client, person, wave, today - timedelta(days=days), chance)
        _touch(story, client, people, today, chance)
    return story


def _introduce(story: Story, client: Client, number: int, today: date, chance: random.Random) -> list[Person]:
    owner = OWNERS[number % len(OWNERS)]
    story.accounts.append(
        {
            "account_id": client.account_id,
            "name": client.name,
            "industry": client.industry,
            "tier": client.tier,
            "region": client.region,
            "annual_revenue": {"amount": client.revenue, "currency": "EUR"},
            "renewal_on": (today + timedelta(days=20 + 37 * number % 400)).isoformat(),
            "owner": {"name": owner[0], "email": owner[1]},
            "sponsor": {"name": SPONSOR[0], "email": SPONSOR[1]},
            "domains": [f"{client.account_id}.example"],
            "attributes": {ATTRIBUTE: True},
        }
    )
    return [_person(story, client, kind, index, chance) for index, kind in enumerate(_types(client))]


def _types(client: Client) -> list[StakeholderType]:
    counts: dict[StakeholderType, int] = {"decision_maker": 1, "user": 2, "influencer": 1}
    if client.tier != "small":
        counts |= {"user": 4, "influencer": 2}
    if client.tier == "premium":
        counts["decision_maker"] = 2
    types: list[StakeholderType] = []
    for stakeholder_type, count in counts.items():
        types += [stakeholder_type] * count
    return types


def _person(story: Story, client: Client, kind: StakeholderType, index: int, chance: random.Random) -> Person:
    hero = (client.account_id, index) == (HERO[0], 0)
    if hero:
        first, last, number = "Mara", "Lindqvist", ""
    else:
        # The number distinguishes two people of the same name.
        first, last, number = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES), str(index)
    address = f"{first}.{last}{number}@{client.account_id}.example".lower()
    title, level = chance.choice(JOBS[kind])
    story.stakeholders.append(
        {
            "account_id": client.account_id,
            "stakeholder_id": address,
            "email": address,
            "name": f"{first} {last}",
            "type": kind,
            "job_title": title,
            "job_level": level,
        }
    )
    if client.course != "divided":
        offset = chance.uniform(-0.8, 0.8)
    elif kind == "user":
        offset = -3.0
    else:
        offset = 1.2
    if hero:
        offset = 0.6
    return Person(address, kind, offset)


def _ask(story: Story, client: Client, person: Person, wave: int, day: date, chance: random.Random) -> None:
    """Invite a person; most open, many answer, some never do."""
    # No address in it: ids of answers stay when their people are erased.
    invitation = f"demo-{derived_uuid('demo', person.email, day.isoformat())}"
    sent_at = datetime.combine(day, time(9, chance.randrange(60)), UTC)
    common = {"invitation_id": invitation, "account_id": client.account_id, "stakeholder_id": person.email}

    def fact(kind: str, after: timedelta) -> None:
        story.invitations.append(common | {"kind": kind, "at": _text(sent_at + after), "channel": "email"})

    fact("sent", timedelta())
    hero = person.email == HERO[1]
    if not hero and chance.random() < 0.04:
        fact("bounced", timedelta(minutes=2))
        return
    fact("delivered", timedelta(minutes=2))
    silent = client.course == "quiet" and wave >= 3
    if not hero and (silent or chance.random() > 0.78):
        return
    fact("opened", timedelta(hours=3))
    if not hero and chance.random() > 0.8:
        return
    answered_at = sent_at + timedelta(hours=chance.randrange(4, 60), seconds=chance.randrange(3600))
    story.responses.append(
        _answer(invitation, client, person, _score(client, person, wave, chance), answered_at, chance)
    )


def _score(client: Client, person: Person, wave: int, chance: random.Random) -> int:
    drift = {"falling": (0.2, 0.2, 0.0, -0.4, -1.6, -3.4), "recovering": (0.5, -1.5, -2.0, -0.6, 1.0, 2.2)}
    change = drift.get(client.course, (0.0,) * len(WAVES))[wave]
    score = client.mood + person.offset + change + chance.gauss(0, 0.7)
    floor = 0
    if person.email == HERO[1]:
        floor = 9
    return max(floor, min(10, round(score)))


def _answer(invitation: str, client: Client, person: Person, score: int, at: datetime, chance: random.Random) -> Item:
    category, comments_per_answer = "detractor", 0.75
    if score >= 7:
        category, comments_per_answer = "passive", 0.4
    if score >= 9:
        category = "promoter"
    answer: Item = {
        "response_id": f"answer-{invitation}",
        "account_id": client.account_id,
        "stakeholder_id": person.email,
        "survey_type": "nps",
        "score": score,
        "answered_at": _text(at),
        "channel": "email",
        "invitation_id": invitation,
        "survey_id": "relationship",
    }
    if chance.random() < comments_per_answer:
        answer["comment"] = chance.choice(COMMENTS[category])
    if score <= 3 or chance.random() < 0.03:
        answer["follow_up_requested"] = True
    answer["answers"] = _ratings(client, score, answer["response_id"])
    return answer


def _ratings(client: Client, score: int, response_id: str) -> list[Item]:
    """The ratings of a person: close to their score, for some attributes closer than for others."""
    own = random.Random(zlib.crc32(response_id.encode()))  # noqa: S311
    attributes = {**dict.fromkeys(RATED[client.industry], 0.5), "value_for_money": 1.1}
    return [
        {
            "question_id": attribute,
            "type": "rating",
            "attribute": attribute,
            "value": max(1, min(5, round(score / 2 + own.gauss(0, spread)))),
        }
        for attribute, spread in attributes.items()
    ]


def _touch(story: Story, client: Client, people: list[Person], today: date, chance: random.Random) -> None:
    """Answers after touchpoints, and context events."""
    users = [person for person in people if person.type == "user"]
    for month in range(1, 12, 2):
        day = today - timedelta(days=30 * month)
        person = chance.choice(users)
        at = datetime.combine(day, time(14, chance.randrange(60)), UTC)
        survey, scale, easy = (("csat", 5, 2.0), ("ces", 7, 1.5))[month % 4 == 1]
        score = max(1, min(scale, round(client.mood * scale / 10 + chance.uniform(-easy, 0.8))))
        story.responses.append(
            {
                "response_id": f"demo-{client.account_id}-{survey}-{day.isoformat()}",
                "account_id": client.account_id,
                "stakeholder_id": person.email,
                "survey_type": survey,
                "score": score,
                "answered_at": _text(at),
                "touchpoint": TOUCHPOINTS[client.industry],
                "channel": "link",
            }
        )
    happened = {"falling": ("incident", "Outage of the portal"), "recovering": ("issue_resolved", "Root cause fixed")}
    kind, label = happened.get(client.course, ("review_held", "Quarterly business review"))
    at = datetime.combine(today - timedelta(days=100), time(10), UTC)
    story.context.append({"account_id": client.account_id, "kind": kind, "at": _text(at), "label": label})


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")

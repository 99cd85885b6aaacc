"""The self-assessment: questions over the ten recommendations of a good B2B programme (Clientshare) and over speed.

Every question has four options, 0 to 3, from the least to the most mature, and two pieces of advice: for those at 0 or
1, and for those at 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that the system knows. `steps` are the values from which the options 1, 2 and 3 are suggested;
    `falling` where less is better."""

    name: str
    unit: str
    steps: tuple[float, float, float]
    meaning: str
    falling: bool = False

    def option(self, value: float) -> int:
        """The option that the figure speaks for."""
        if self.falling:
            return sum(value <= step for step in self.steps)
        return sum(value >= step for step in self.steps)


@dataclass(frozen=True, slots=True)
class MaturityQuestion:
    """One question with its options and advice."""

    question_id: str
    text: str
    options: tuple[str, str, str, str]
    begin: str
    finish: str
    measure: Measure | None = None

    def advice(self, option: int) -> str | None:
        """What to do next; None for the best option."""
        if option == len(self.options) - 1:
            return None
        if option == 2:
            return self.finish
        return self.begin


@dataclass(frozen=True, slots=True)
class Area:
    """One recommendation of the field."""

    area: str
    title: str
    questions: Sequence[MaturityQuestion]


REGULARITY = Measure(
    "months_with_answers", "months of the last 12", (2, 4, 10), "months with an answer in their last 30 days"
)
COVERAGE = Measure("account_coverage", "share", (0.3, 0.6, 0.9), "accounts asked in 365 days over known accounts")
RESPONSE = Measure("response_rate", "share", (0.12, 0.2, 0.5), "answers over recipients in 365 days")
LOOP = Measure(
    "closed_loop_rate",
    "share",
    (0.3, 0.6, 0.9),
    "follow-ups of 365 days that were closed with an answer, chances to grow left out",
)
FIRST_TOUCH = Measure(
    "hours_to_first_touch", "hours", (72, 24, 8), "median of the follow-ups of 365 days", falling=True
)
MEASURES: Final = (REGULARITY, COVERAGE, RESPONSE, LOOP, FIRST_TOUCH)

AREAS: Final = (
    Area(
        "collect_regularly",
        "Collect regularly",
        (
            MaturityQuestion(
                "cadence",
                "How often do customers get to say how they feel?",
                ("once a year or less", "twice a year", "every quarter", "all the time, after reviews and touchpoints"),
                "Leave the yearly survey: ask users every quarter and decision-makers every six months.",
                "Add short surveys after the touchpoints that matter, and at the end of every business review.",
                REGULARITY,
            ),
            MaturityQuestion(
                "fatigue",
                "What keeps you from asking the same person too often?",
                ("nothing", "we try to remember", "a rule that people follow", "a rule that the system enforces"),
                "Agree on how long a person is left alone after being asked, and write it down.",
                "Let the system hold back whoever was asked too recently.",
            ),
        ),
    ),
    Area(
        "customise",
        "Customise: own domain, own look",
        (
            MaturityQuestion(
                "own_look",
                "How does the survey reach the customer?",
                (
                    "from a survey company's address",
                    "from our domain, with a stranger's look",
                    "from our domain, in our look",
                    "from a person they know, in our look, about what they use",
                ),
                "Send from your own mail domain and in your own look, with a personal link for each recipient.",
                "Let the account manager be the sender, and name the service that the customer uses.",
            ),
        ),
    ),
    Area(
        "silence",
        "Treat silence as a signal",
        (
            MaturityQuestion(
                "silence_action",
                "What happens when somebody who was asked does not answer?",
                (
                    "nothing",
                    "a reminder",
                    "a reminder and a note for the owner",
                    "a follow-up with an owner and a date",
                ),
                "Count who was asked and never answers as at risk, and remind them once or twice.",
                "Turn on the non-response rule, so that silence opens a follow-up for the account's owner.",
            ),
            MaturityQuestion(
                "response",
                "How many of those you ask answer?",
                ("less than 12 %", "12 to 20 %", "20 to 50 %", "half or more"),
                "Ask in person, midweek, with three questions, and show what became of the last answers.",
                "Ask at the end of business reviews, and let account managers own their response rate.",
                RESPONSE,
            ),
        ),
    ),
    Area(
        "business_reviews",
        "Combine with business reviews",
        (
            MaturityQuestion(
                "reviews",
                "What part does feedback play in business reviews?",
                (
                    "none",
                    "it is mentioned",
                    "the scores are on a slide",
                    "scores, words, deeds and promises, then a new question",
                ),
                "Take the review pack into every business review: the scores, what was said, what was done.",
                "End each review with the question, and begin the next one with what became of the answers.",
            ),
        ),
    ),
    Area(
        "close_the_loop",
        "Close the loop",
        (
            MaturityQuestion(
                "loop",
                "How many low scores end with an answer to the customer?",
                ("few, or we do not know", "about a third", "most", "nearly all"),
                "Give every detractor an owner and a due time, and let the customer hear back.",
                "Look at the loops that stay open, by root cause and owner, every week.",
                LOOP,
            ),
            MaturityQuestion(
                "learning",
                "Do you learn from root causes?",
                ("no", "now and then", "they are recorded", "they are recorded, counted and worked on"),
                "Write the root cause down whenever a follow-up is closed.",
                "Take the most frequent root cause of the quarter to the leaders, with what it costs.",
            ),
        ),
    ),
    Area(
        "cover_all_accounts",
        "Cover all accounts",
        (
            MaturityQuestion(
                "coverage",
                "How many of your accounts were asked within a year?",
                ("less than a third", "a third to most", "most", "nearly all"),
                "Ask every account, not the friendly ones: begin with those never asked in 12 months.",
                "Close the gap by name: the list of accounts never asked is short now.",
                COVERAGE,
            ),
            MaturityQuestion(
                "choice",
                "Who decides which customers are asked?",
                ("whoever sends the survey", "account managers", "a rule with exceptions", "a rule without exceptions"),
                "Take the choice of customers away from those who are judged by the score.",
                "Publish who was left out and why beside every score.",
            ),
        ),
    ),
    Area(
        "widen_the_reach",
        "Widen the reach inside and outside",
        (
            MaturityQuestion(
                "people",
                "Whom do you ask at an account?",
                (
                    "one contact",
                    "a few users",
                    "users and decision-makers",
                    "users, decision-makers and influencers, by name",
                ),
                "Find a decision-maker and two users for each account, and ask all of them.",
                "Add the influencers, and look at the differences between types of people.",
            ),
        ),
    ),
    Area(
        "csat_and_comments",
        "Combine with CSAT and comments",
        (
            MaturityQuestion(
                "metrics",
                "What do you ask besides the NPS question?",
                (
                    "nothing",
                    "a comment",
                    "a comment and CSAT or effort",
                    "these and the attributes that drive the score",
                ),
                "Always ask why: a score without a comment cannot be acted on.",
                "Let people rate the attributes of your industry, and look at what drives the score.",
            ),
        ),
    ),
    Area(
        "ownership",
        "Give ownership to account management",
        (
            MaturityQuestion(
                "ownership",
                "Who acts on feedback?",
                (
                    "nobody in particular",
                    "a central team",
                    "account managers when asked to",
                    "the account's owner, a leader for the important ones",
                ),
                "Give every account an owner in the directory, so that follow-ups find somebody.",
                "Let a leader call whoever asked for it, and whoever gave 0 to 3, on the same day.",
            ),
        ),
    ),
    Area(
        "many_teams",
        "Let many teams use it",
        (
            MaturityQuestion(
                "teams",
                "Who sees what customers say?",
                ("one team", "managers, in a report", "most teams, on request", "every team, live, in its own tools"),
                "Open the figures to support, delivery and product, limited to what is theirs.",
                "Bring feedback into the tools of each team: the CRM by webhooks, reports by the analytics views.",
            ),
        ),
    ),
    Area(
        "speed",
        "Speed",
        (
            MaturityQuestion(
                "first_touch",
                "How soon after a low score does somebody get in touch?",
                ("after more than three days, or never", "within three days", "within a day", "the same day"),
                "Let low scores open a follow-up at once, with a due time in business hours.",
                "Escalate what nobody has touched within half its time.",
                FIRST_TOUCH,
            ),
            MaturityQuestion(
                "results",
                "How soon do the people concerned see results?",
                ("after months", "after weeks", "within a week", "at once"),
                "Do without reports of a third party: let the owner see an answer when it is given.",
                "Show the live score where people work, and drop the monthly report.",
            ),
        ),
    ),
)
QUESTIONS: Final = {question.question_id: question for area in AREAS for question in area.questions}

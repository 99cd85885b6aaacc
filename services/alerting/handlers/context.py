"""The accounts, people and answers that a batch of events or follow-ups is about, read once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from services.alerting.domain.answers import AnswerKey, StoredAnswer
from services.alerting.domain.payloads import MessageSubject
from services.alerting.domain.people import (
    Account,
    Answer,
    PersonKey,
    Stakeholder,
    SubjectKey,
    accounts_of,
    persons_of,
)
from services.alerting.domain.rule_facts import Facts
from services.alerting.domain.tasks import Task
from services.alerting.store.accounts import accounts_by_id, stakeholders_by_id
from services.alerting.store.answers import answers_by_id
from shared.db.transaction import ReadTx


@dataclass(frozen=True, slots=True)
class Context:
    """The accounts, people and answers around some events."""

    accounts: Mapping[str, Account]
    people: Mapping[PersonKey, Stakeholder]
    answers: Mapping[AnswerKey, StoredAnswer]

    @classmethod
    async def read(
        cls,
        tx: ReadTx,
        people: Iterable[SubjectKey],
        answers: Iterable[AnswerKey],
        facts: Iterable[Facts] = (),
    ) -> "Context":
        """Read them, but for what the facts of an evaluation hold. Who is not in the directory has only an id; an
        answer that has not come is missing.
        """
        known = cls.of_facts(facts)
        pairs = set(people)
        accounts, persons = accounts_of(pairs), persons_of(pairs)
        return cls(
            {**known.accounts, **await accounts_by_id(tx, accounts - known.accounts.keys())},
            {**known.people, **await stakeholders_by_id(tx, persons - known.people.keys())},
            {**known.answers, **await answers_by_id(tx, set(answers) - known.answers.keys())},
        )

    @classmethod
    def of_facts(cls, facts: Iterable[Facts]) -> "Context":
        """What facts hold."""
        accounts: dict[str, Account] = {}
        people: dict[PersonKey, Stakeholder] = {}
        answers: dict[AnswerKey, StoredAnswer] = {}
        for of_account in facts:
            account_id = of_account.account.account_id
            accounts[account_id] = of_account.account
            for person, stakeholder in of_account.people.items():
                people[account_id, person] = stakeholder
            for stored in chain.from_iterable(of_account.answers.values()):
                answers[account_id, stored.live.response_id] = stored
        return cls(accounts, people, answers)

    def account(self, account_id: str) -> Account:
        """The account; a segment stands in for one, under its name."""
        return self.accounts.get(account_id) or Account(account_id)

    def person(self, account_id: str, stakeholder_id: str | None) -> Stakeholder | None:
        """The person; None for the account itself."""
        if stakeholder_id is None:
            return None
        return self.people.get((account_id, stakeholder_id)) or Stakeholder(account_id, stakeholder_id)

    def answer(self, account_id: str, response_id: str | None) -> Answer | None:
        """The answer as it is now. None where it has not come, also where an event has spoken of it."""
        stored = self.answers.get((account_id, response_id or ""))
        if stored is None or stored.placeholder is not None:
            return None
        return stored.live

    def around(self, task: Task, change: Mapping[str, Any] | None = None) -> MessageSubject:
        """What a message about a task speaks of."""
        return MessageSubject(
            self.account(task.account_id),
            self.person(task.account_id, task.stakeholder_id),
            self.answer(task.account_id, task.response_id),
            task,
            change,
        )

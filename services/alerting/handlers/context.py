"""The accounts, people and answers that a batch of events or follow-ups is about, read once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.alerting.domain.answers import AnswerKey, StoredAnswer
from services.alerting.domain.payloads import MessageSubject
from services.alerting.domain.people import Account, Answer, PersonKey, Stakeholder
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
        cls, tx: ReadTx, people: Iterable[tuple[str, str | None]], answers: Iterable[AnswerKey]
    ) -> "Context":
        """Read them. Who is not in the directory has only an id; an answer that has not come is missing."""
        pairs = set(people)
        persons = [(account_id, person) for account_id, person in pairs if person is not None]
        return cls(
            await accounts_by_id(tx, [account_id for account_id, _ in pairs]),
            await stakeholders_by_id(tx, persons),
            await answers_by_id(tx, answers),
        )

    def account(self, account_id: str) -> Account:
        """The account; a segment stands in for one, under its name."""
        return self.accounts.get(account_id) or Account(account_id)

    def person(self, account_id: str, stakeholder_id: str | None) -> Stakeholder | None:
        """The person; None for the account itself."""
        if stakeholder_id is None:
            return None
        return self.people.get((account_id, stakeholder_id)) or Stakeholder(account_id, stakeholder_id)

    def answer(self, account_id: str, response_id: str | None) -> Answer | None:
        """The answer as it is now, if it has come."""
        if not response_id or (account_id, response_id) not in self.answers:
            return None
        return self.answers[account_id, response_id].live

    def around(self, task: Task, change: Mapping[str, Any] | None = None) -> MessageSubject:
        """What a message about a task speaks of."""
        return MessageSubject(
            self.account(task.account_id),
            self.person(task.account_id, task.stakeholder_id),
            self.answer(task.account_id, task.response_id),
            task,
            change,
        )

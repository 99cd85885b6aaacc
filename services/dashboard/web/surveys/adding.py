"""Adding a question to a survey: a ready one, or one's own."""

from collections.abc import Awaitable, Callable

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import surveys as steps
from services.dashboard.domain.survey_texts import Document
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, refuse
from services.dashboard.web.surveys.draft import Draft
from shared.api.surveys import ReadyQuestion, SurveyTemplates

Replace = Callable[[Document], Awaitable[None]]
OWN = "own"
CHOICES = ("choice", "several")


def add_question(draft: Draft, ready: SurveyTemplates, replace: Replace) -> None:
    """The dialog: which question, ready or one's own."""
    offered = {OWN: "One of your own"}
    for number, question in enumerate(ready.questions):
        offered[str(number)] = _wording_of(question, draft.document["default_language"])

    async def send(values: Values) -> bool:
        if values["which"] == OWN:
            _add_own(draft, replace)
        else:
            chosen = ready.questions[int(values["which"])].model_dump(mode="json")
            await replace(steps.with_ready_question(draft.document, chosen["question"], chosen["wordings"]))
        return True

    ask("Add a question", lambda fields: fields.choice("which", "Which", offered), send, "Add it")


def _wording_of(ready: ReadyQuestion, language: str) -> str:
    """The question in this language, else in any."""
    wordings = ready.wordings
    found = wordings.get(language) or next(iter(wordings.values()), None)
    if found is None:
        return ready.question.question_id
    return found.text


def _add_own(draft: Draft, replace: Replace) -> None:
    kinds = {kind: name for kind, name in texts.TYPES.items() if kind != draft.document["metric"]}

    def fill(fields: Fields) -> None:
        fields.choice("kind", "Kind", kinds)
        fields.text("wording", f"The question in {texts.language_name(draft.document['default_language'])}", long=True)
        fields.text("named", "What a rating rates, such as support")
        fields.text("options", "Options to choose from, one a line", long=True)

    async def send(values: Values) -> bool:
        kind, options = values["kind"], values.get("options", "").splitlines()
        if "wording" not in values:
            return await attempt(refuse("Write the question."), "")
        if kind in CHOICES and len(options) < 2:
            return await attempt(refuse("A choice has two options or more, each on a line of its own."), "")
        await replace(steps.with_question(draft.document, kind, values["wording"], values.get("named", ""), options))
        return True

    ask("A question of your own", fill, send, "Add it")

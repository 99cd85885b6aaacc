"""Adding a question to a survey, a ready one or one's own, and wording the scored question otherwise."""

from collections.abc import Awaitable, Callable, Mapping

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import surveys as steps
from services.dashboard.domain.survey_texts import Document
from services.dashboard.web.elements import Text
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, refuse
from services.dashboard.web.surveys.draft import Draft
from shared.api.surveys import QuestionWording, SurveyTemplates
from shared.industries import NAMES as INDUSTRIES

Replace = Callable[[Document], Awaitable[None]]
OWN = "own"
CHOICES = ("choice", "several")


def add_question(draft: Draft, ready: SurveyTemplates, replace: Replace) -> None:
    """The dialog: which question, ready or one's own."""
    offered = {OWN: "One of your own"}
    for number, question in enumerate(ready.questions):
        offered[str(number)] = _text_in(question.texts, draft.document["default_language"])

    async def send(values: Values) -> bool:
        if values["which"] == OWN:
            _add_own(draft, replace)
        else:
            chosen = ready.questions[int(values["which"])].model_dump(mode="json")
            await replace(steps.with_ready_question(draft.document, chosen["question"], chosen["texts"]))
        return True

    ask("Add a question", lambda fields: fields.choice("which", "Which", offered), send, "Add it")


def _text_in(wordings: Mapping[str, QuestionWording], language: str) -> str:
    """The question in this language, else in any."""
    found = wordings.get(language) or next(iter(wordings.values()), QuestionWording())
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


def fits(ready: SurveyTemplates, metric: str) -> bool:
    """Whether there is another wording of the scored question."""
    return any(wording.metric == metric for wording in ready.wordings)


def reword(draft: Draft, ready: SurveyTemplates, replace: Replace) -> None:
    """The dialog: another wording of the scored question."""
    language = draft.document["default_language"]
    offered = {}
    for wording in ready.wordings:
        if wording.metric == draft.document["metric"]:
            industry = INDUSTRIES.get(wording.industry, wording.industry)
            offered[wording.wording_id] = f"{industry}: {_text_in(wording.texts, language)}"

    def fill(fields: Fields) -> None:
        fields.choice("wording", "Wording", offered)
        Text("p", "The same question each time keeps a trend comparable: another wording is a mark on it.", "muted")

    async def send(values: Values) -> bool:
        for wording in ready.wordings:
            if wording.wording_id == values["wording"]:
                await replace(steps.with_score_wording(draft.document, wording.model_dump(mode="json")["texts"]))
        return True

    ask("Another wording of the score", fill, send, "Use it")

"""The form of a survey: what is asked, all texts with the languages side by side, and who asks. A field is saved when
it is left."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nicegui import ui

from services.dashboard.domain import survey_texts as texts
from services.dashboard.domain import surveys as steps
from services.dashboard.domain.survey_texts import Document, Path
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import CHECKED, VALUE, Fields, Values, ask, button, options_of
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.adding import add_question, fits, reword
from services.dashboard.web.surveys.draft import Draft
from services.dashboard.web.surveys.logo import draw_logo
from shared.api.surveys import SurveyTemplates

SETTINGS: tuple[tuple[str, str], ...] = (
    ("name", "Name, for you only"),
    ("us", "Your name in the questions, {us}"),
    ("product", "Product, {product}"),
    ("touchpoint", "Touchpoint, such as support"),
    ("public_review_url", "Public review page, shown to everybody or left empty"),
    ("booking_url", "Page on which a call is arranged (https://…)"),
)
LEGAL: tuple[tuple[str, str], ...] = (
    ("legal_name", "Legal name"),
    ("postal_address", "Postal address"),
    ("imprint_url", "Imprint (https://…)"),
    ("privacy_url", "Privacy notice (https://…)"),
)
OPTIONAL = ("us", "product", "touchpoint", "public_review_url", "booking_url", "colour")
RATINGS = {str(number): str(number) for number in range(6)}


class SurveyForm:
    """The fields of one draft; drawn anew when its questions or languages change."""

    _body: ui.element
    _checks: ui.element | None = None
    _ready: SurveyTemplates

    def __init__(self, visit: Visit, draft: Draft) -> None:
        self._visit, self._draft = visit, draft
        self._beside = ""
        draft.on_change.append(self._draw_checks)

    def draw(self, ready: SurveyTemplates) -> None:
        """Draw the form, and what is to be checked."""
        self._ready = ready
        self._checks = box("div", "checks", role="status")
        self._body = box("div", "form survey")
        self._draw_checks()
        self._draw_form()

    def _draw_checks(self) -> None:
        if self._checks is None or self._checks.is_deleted:
            return
        draft = self._draft
        self._checks.clear()
        with self._checks:
            if draft.status:
                Text("p", draft.status, _tone(bad=draft.is_bad))
            if draft.is_stale:
                with box("div", "buttons"):
                    button("Keep mine", draft.keep_mine, "main")
                    button("Take theirs", self._take_theirs)
            remarks = [*draft.refused, *draft.survey.faults, *draft.survey.warnings]
            if not remarks:
                Text("p", "✓ Nothing to check.", "muted")
                return
            with box("details") as listed:
                Text("summary", _count(len(remarks), len(draft.survey.warnings)))
                with box("ul", "remarks"):
                    for remark in remarks:
                        sign = "✕"
                        if remark in draft.survey.warnings:
                            sign = "!"
                        Text("li", f"{sign} {texts.place(draft.document, remark.field)}: {remark.detail}")
            if draft.refused:
                listed.props["open"] = ""

    async def _take_theirs(self) -> None:
        await self._draft.take_theirs()
        self._draw_form()

    def _draw_form(self) -> None:
        document = self._draft.document
        shown = self._shown(document)
        self._body.clear()
        with self._body:
            self._draw_settings(document)
            self._draw_languages(document, shown)
            for group in texts.groups(document):
                self._draw_group(group, document, shown)
            self._draw_legal(document)
            with box("fieldset", "area"):
                Text("legend", "Looks: your colour and logo")
                colour = texts.text_at(document, ("colour",))
                self._text(("colour",), "Colour of links and buttons, such as #0b5cad", colour, optional=True)
                draw_logo(self._visit, self._draft, self._draw_form)

    def _shown(self, document: Document) -> list[str]:
        """The languages side by side: the default, and one other."""
        found = texts.languages(document)
        others = [language for language in found[1:] if language == self._beside] or found[1:2]
        return found[:1] + others

    def _draw_settings(self, document: Document) -> None:
        with box("fieldset", "area"):
            Text("legend", f"The survey: {texts.METRICS[document['metric']]}")
            with box("div", "pairs"):
                for name, label in SETTINGS:
                    self._text((name,), label, texts.text_at(document, (name,)), optional=name in OPTIONAL)
                self._choice("nps_kind", "About", texts.NPS_KINDS, document["nps_kind"])
                self._choice("ratings_asked", "Ratings that one person is asked", RATINGS,
                             str(document["ratings_asked"]))  # fmt: skip
            self._draw_booking(document)

    def _draw_booking(self, document: Document) -> None:
        """To whom the last page offers a call."""
        with box("fieldset"):
            Text("legend", "The last page offers a call to")
            for name in texts.categories(document):
                with box("label", "tick"), box("span"):
                    made = box("input", type="checkbox")
                    if name in document.get("booking_for", ()):
                        made.props["checked"] = ""
                    Text("span", f" {texts.SIGNS[name]} {texts.CATEGORIES[name]}")
                    made.on("change", partial(self._offer_call, name), js_handler=CHECKED)

    async def _offer_call(self, name: str, told: Any) -> None:
        self._draft.replace(steps.with_call_for(self._draft.document, name, offered=bool(told.args)))
        await self._draft.save()

    def _draw_languages(self, document: Document, shown: list[str]) -> None:
        found = texts.languages(document)
        names = texts.language_names(found)
        with box("div", "filters languages"):
            if len(found) > 1:
                self._choice("default_language", "First language", names, found[0], self._draw_form)
                with box("label"):
                    Text("span", "Beside it")
                    beside = texts.language_names(found[1:])
                    choice = options_of(beside, shown[-1])
                    choice.on("change", lambda told: self._look_at(told.args), js_handler=VALUE)
            button("Add a language", self._add_language)
            if len(found) > 1:
                button(f"Remove {names[shown[-1]]}", partial(self._remove_language, shown[-1]))

    def _look_at(self, language: str) -> None:
        self._beside = language
        self._draw_form()

    def _add_language(self) -> None:
        missing = {code: name for code, name in texts.LANGUAGES.items() if code not in self._draft.document["texts"]}

        async def send(values: Values) -> bool:
            self._beside = values["language"]
            drafted = self._words_in(self._beside)
            await self._replace(steps.with_language(self._draft.document, self._beside, drafted))
            return True

        def fill(fields: Fields) -> None:
            fields.choice("language", "Language", missing)
            Text("p", "What is ready in this language is filled in, as a draft to be read by somebody who speaks it.")

        ask("Add a language", fill, send, "Add it")

    def _words_in(self, language: str) -> Document:
        """What is ready in a language; empty where nothing is."""
        templates = [template.survey.model_dump(mode="json") for template in self._ready.templates]
        found = steps.ready_texts(self._draft.document, language, templates)
        if not found and self._draft.document["metric"] == "nps":
            for drafted in self._ready.drafts:
                if drafted.language == language:
                    return {"score": drafted.model_dump(include={"text", "low", "high"})}
        return found

    async def _remove_language(self, language: str) -> None:
        await self._replace(steps.without_language(self._draft.document, language))

    def _draw_group(self, group: texts.Group, document: Document, shown: list[str]) -> None:
        last = len(document["questions"]) - 1
        with box("fieldset", "area"):
            Text("legend", group.title)
            with box("div", f"texts of-{len(shown)}"):
                for line in group.lines:
                    for language in shown:
                        self._wording(line, language, document, alone=len(shown) == 1)
            if group.position is not None:
                self._draw_moves(group.position, last, group.title)
            if group.lines[0].path[0] == "score" and fits(self._ready, document["metric"]):
                button("Another wording", partial(reword, self._draft, self._ready, self._replace))
        if group.position == last or (last < 0 and group.lines[0].path[0] == "reasons"):
            button("Add a question", partial(add_question, self._draft, self._ready, self._replace))

    def _draw_moves(self, position: int, last: int, title: str) -> None:
        with box("div", "buttons tight"):
            if position > 0:
                self._step("↑ Earlier", title, partial(steps.moved, position=position, steps=-1))
            if position < last:
                self._step("↓ Later", title, partial(steps.moved, position=position, steps=1))
            self._step("Remove", title, partial(steps.without_question, position=position))

    def _step(self, verb: str, title: str, step: Callable[[Document], Document]) -> None:
        async def take() -> None:
            await self._replace(step(self._draft.document))

        button(verb, take).props["aria-label"] = f"{verb}: {title}"

    def _wording(self, line: texts.Line, language: str, document: Document, *, alone: bool) -> None:
        path = ("texts", language, *line.path)
        label = line.label
        if not alone:
            label = f"{line.label} · {texts.language_name(language)}"
        optional = line.path == texts.REVIEWER
        value = texts.text_at(document, path)
        self._text(path, label, value, long=True, optional=optional, language=language)

    def _text(
        self, path: Path, label: str, value: str, *, long: bool = False, optional: bool = False, language: str = ""
    ) -> None:
        with box("label"):
            Text("span", label)
            if long:
                made: ui.element = Text("textarea", value, rows="1")
            else:
                made = box("input", type="text", value=value)
        if language:
            made.props["lang"] = language
        if language in texts.RIGHT_TO_LEFT:
            made.props["dir"] = "rtl"
        made.on("input", lambda told: self._draft.put(path, _value(told.args, optional=optional)), js_handler=VALUE)
        made.on("change", self._draft.save)

    def _choice(self, name: str, label: str, options: Mapping[str, str], value: str, then: Any = None) -> None:
        async def put(told: Any) -> None:
            chosen: Any = told.args
            if name == "ratings_asked":
                chosen = int(chosen)
            self._draft.put((name,), chosen)
            await self._draft.save()
            if then is not None:
                then()

        with box("label"):
            Text("span", label)
            options_of(options, value).on("change", put, js_handler=VALUE)

    def _draw_legal(self, document: Document) -> None:
        with box("fieldset", "area"):
            Text("legend", "Who asks; the law wants it on the page")
            with box("div", "pairs"):
                for name, label in LEGAL:
                    self._text(("legal", name), label, texts.text_at(document, ("legal", name)))

    async def _replace(self, document: Document) -> None:
        self._draft.replace(document)
        self._draw_form()
        await self._draft.save()


def _value(text: str, *, optional: bool) -> str | None:
    """What an emptied field stands for."""
    if optional and not text.strip():
        return None
    return text


def _tone(*, bad: bool) -> str:
    if bad:
        return "notice bad"
    return "muted"


def _count(all_: int, warnings: int) -> str:
    """`2 to do before publishing, 3 to look at`."""
    parts = []
    if all_ > warnings:
        parts.append(f"{all_ - warnings} to do before publishing")
    if warnings:
        parts.append(f"{warnings} to look at")
    return ", ".join(parts)

"""The texts of a survey: where each stands, what it is called on the page, and how two versions differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A survey as outreach's API takes it."""
Path = tuple[str, ...]
REVIEWER: Path = ("reviewed_by",)
METRICS = {"nps": "NPS, 0 to 10", "csat": "CSAT, 1 to 5", "ces": "CES, 1 to 7"}
NPS_KINDS = {"relationship": "The relationship", "transactional": "Something that happened", "project": "A project"}
TYPES = {
    "rating": "A rating from 1 to 5",
    "choice": "One of several",
    "several": "Several of several",
    "text": "Words",
    "csat": "Satisfaction (CSAT), 1 to 5",
    "ces": "Effort (CES), 1 to 7",
}
CATEGORIES = {
    "promoter": "Promoters (9 to 10)",
    "passive": "Passives (7 to 8)",
    "detractor": "Detractors (0 to 6)",
    "satisfied": "Satisfied",
    "neutral": "Neutral",
    "dissatisfied": "Dissatisfied",
}
SIGNS = {"promoter": "▲", "passive": "●", "detractor": "▼", "satisfied": "▲", "neutral": "●", "dissatisfied": "▼"}
LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch",
    "pt-PT": "Portuguese (Portugal)", "pt-BR": "Portuguese (Brazil)", "pl": "Polish", "sv": "Swedish", "da": "Danish",
    "fi": "Finnish", "nb": "Norwegian", "cs": "Czech", "ja": "Japanese", "zh": "Chinese", "ar": "Arabic",
}  # fmt: skip
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
FALLBACKS = {
    "us": "instead of {us}",
    "name": "instead of {name}",
    "account": "instead of {account}",
    "sender": "instead of {sender}",
    "product": "instead of {product}",
}
BUTTONS = {"send": "Send the score, with {score}", "next": "Next", "finish": "Finish"}


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a survey in each language; `path` is below the language."""

    path: Path
    label: str


REFERRAL = Line(("referral",), "Would they introduce you? Empty: nobody is asked")


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that belong together. `position` is that of the further question they belong to."""

    title: str
    lines: tuple[Line, ...]
    position: int | None = None


def language_name(language: str) -> str:
    """The name of a language; its tag where that is unknown."""
    return LANGUAGES.get(language, language)


def language_names(found: Iterable[str]) -> dict[str, str]:
    """Tag → name of languages, in their order."""
    return {language: language_name(language) for language in found}


def languages(document: Document) -> list[str]:
    """The languages of a survey, the default first."""
    found = sorted(document.get("texts", {}))
    default = document.get("default_language", "en")
    return sorted(found, key=lambda language: language != default)


def categories(document: Document) -> tuple[str, str, str]:
    """The categories of the survey's score, the best first."""
    if document["metric"] == "nps":
        return "promoter", "passive", "detractor"
    return "satisfied", "neutral", "dissatisfied"


def text_at(document: Document, path: Path) -> str:
    """The text at this place; empty where there is none."""
    found: Any = document
    for name in path:
        if not isinstance(found, dict):
            return ""
        found = found.get(name)
    return str(found or "")


def groups(document: Document) -> list[Group]:
    """All texts of a survey in the order in which a respondent reads them."""
    reasons, thanks = {}, {}
    for name in categories(document):
        reasons[name] = f"{SIGNS[name]} {CATEGORIES[name]}"
        thanks[name] = f"{SIGNS[name]} Thanks to {CATEGORIES[name].lower()}"
    found = [Group("The score", _scale(("score",), "The question with the score"))]
    found.append(Group("Why", _named("reasons", reasons)))
    for position, question in enumerate(document.get("questions", [])):
        found.append(_question(position, question))
    consents = (Line(("call",), "May somebody call?"), Line(("consent",), "May praise be quoted?"), REFERRAL)
    reader = Line(("who_reads",), "Who reads the answer")
    found.append(Group("The last page", (*_named("thanks", thanks), *consents, reader)))
    found.append(Group("Buttons", _named("buttons", BUTTONS)))
    found.append(Group("The translation", (Line(REVIEWER, "Read through by, who speaks the language"),)))
    found.append(Group("Where a value is missing", _named("fallbacks", FALLBACKS)))
    return found


def _named(field: str, labels: Mapping[str, str]) -> tuple[Line, ...]:
    """A line for each name below a field."""
    return tuple(Line((field, name), label) for name, label in labels.items())


def _question(position: int, question: Document) -> Group:
    path = ("questions", question["question_id"])
    lines = [Line((*path, "text"), "The question")]
    if question["type"] in ("rating", "csat", "ces"):
        lines = list(_scale(path, "The question"))
    for option in question.get("options", ()):
        lines.append(Line((*path, "options", option), f"Option “{option.replace('_', ' ')}”"))
    return Group(f"{position + 2}. {type_name(question)}", tuple(lines), position)


def type_name(question: Document) -> str:
    """The kind of a question in words, with what it rates."""
    kind: str = question["type"]
    if question.get("several"):
        kind = "several"
    name = TYPES.get(kind, kind)
    if question.get("attribute"):
        return f"{name}: {question['attribute'].replace('_', ' ')}"
    return name


def _scale(path: Path, label: str) -> tuple[Line, ...]:
    return (
        Line((*path, "text"), label),
        Line((*path, "low"), "Beside the lowest number"),
        Line((*path, "high"), "Beside the highest number"),
    )


def place(document: Document, field: str) -> str:
    """Where a remark of outreach about a survey belongs, in words: `texts.de.score.low` is `German, the score: beside
    the lowest number`."""
    parts = tuple(field.split("."))
    if len(parts) > 2 and parts[0] == "texts":
        language, path = parts[1], parts[2:]
        for group in groups(document):
            for line in group.lines:
                if line.path == path:
                    return f"{language_name(language)}, {group.title.lower()}: {line.label[:1].lower()}{line.label[1:]}"
        return f"{language_name(language)}: {_words(path)}"
    if len(parts) == 2 and parts[0] == "texts":
        return language_name(parts[1])
    if len(parts) > 1 and parts[0] == "questions" and parts[1].isdecimal():
        return f"Question {int(parts[1]) + 2}"
    if parts[0] == "legal":
        return f"Who asks: {_words(parts[1:])}"
    return _words(parts).capitalize()


def _words(parts: Iterable[str]) -> str:
    return " ".join(parts).replace("_", " ")


@dataclass(frozen=True, slots=True)
class Difference:
    """What another version says elsewhere; an empty text was not there before, or is not there any more."""

    place: str
    before: str
    after: str


def differences(old: Document, new: Document) -> list[Difference]:
    """What respondents would read or be asked otherwise: questions that come and go, and every text that changes."""
    found = []
    known, wanted = _question_names(old), _question_names(new)
    for question_id in [*known, *(name for name in wanted if name not in known)]:
        if question_id not in wanted:
            found.append(Difference("A question goes", known[question_id], ""))
        if question_id not in known:
            found.append(Difference("A question comes", "", wanted[question_id]))
    if [name for name in known if name in wanted] != [name for name in wanted if name in known]:
        found.append(Difference("The order of the questions", "", "is another"))
    for language in sorted({*languages(old), *languages(new)}):
        found += _changed_texts(language, old, new)
    return found


def _changed_texts(language: str, old: Document, new: Document) -> list[Difference]:
    name = language_name(language)
    if language not in new["texts"]:
        return [Difference(name, "a language of the survey", "")]
    if language not in old["texts"]:
        return [Difference(name, "", "a language of the survey")]
    found = []
    for group in groups(new):
        for line in group.lines:
            path = ("texts", language, *line.path)
            before, after = text_at(old, path), text_at(new, path)
            if before != after and (group.position is None or _asked_in(old, group, new)):
                label = f"{name}, {group.title.lower()}: {line.label[:1].lower()}{line.label[1:]}"
                found.append(Difference(label, before, after))
    return found


def _asked_in(old: Document, group: Group, new: Document) -> bool:
    """Whether the other version has the question of this group as well: the texts of a new one are no changes."""
    question_id = new["questions"][group.position]["question_id"]
    return question_id in _question_names(old)


def _question_names(document: Document) -> dict[str, str]:
    """Id → wording of the further questions in the default language, in their order."""
    names = {}
    for question in document.get("questions", []):
        path = ("texts", document.get("default_language", "en"), "questions", question["question_id"], "text")
        names[question["question_id"]] = text_at(document, path) or type_name(question)
    return names

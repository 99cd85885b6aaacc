"""Surveys as they are edited: a document of questions and texts, changed a step at a time. No step changes the document
that it is given."""

import copy
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A survey as outreach's API takes it."""
Path = tuple[str, ...]
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
MOST_IN_SLUG = 40
_NO_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a survey in each language; `path` is below the language."""

    path: Path
    label: str
    long: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that belong together. `position` is that of the further question they belong to."""

    title: str
    lines: tuple[Line, ...]
    position: int | None = None


def language_name(language: str) -> str:
    """The name of a language; its tag where that is unknown."""
    return LANGUAGES.get(language, language)


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


def changed(document: Document, path: Path, value: Any) -> Document:
    """The document with another value at this place."""
    new = copy.deepcopy(document)
    inner = new
    for name in path[:-1]:
        if not isinstance(inner.get(name), dict):
            inner[name] = {}
        inner = inner[name]
    inner[path[-1]] = value
    return new


def moved(document: Document, position: int, steps: int) -> Document:
    """The document with a further question so many places later; at an end nothing changes."""
    new = copy.deepcopy(document)
    questions = new["questions"]
    target = position + steps
    if 0 <= target < len(questions):
        questions.insert(target, questions.pop(position))
    return new


def without_question(document: Document, position: int) -> Document:
    """The document without a further question and its texts."""
    new = copy.deepcopy(document)
    gone = new["questions"].pop(position)
    for texts in new["texts"].values():
        texts.get("questions", {}).pop(gone["question_id"], None)
    return new


def with_question(document: Document, kind: str, wording: str, named: str, options: Sequence[str] = ()) -> Document:
    """The document with one more question, worded in the default language. `kind` is one of TYPES, `named` the attribute
    of a rating, `options` the labels of a choice."""
    question = {"question_id": _free_slug(document, named or wording or kind), "type": kind, "attribute": None}
    question |= {"options": [], "several": kind == "several"}
    if kind == "several":
        question["type"] = "choice"
    if kind == "rating":
        question["attribute"] = slug(named or wording)
    texts: Document = {"text": wording}
    if question["type"] == "choice":
        labels = _labels(options)
        question["options"] = list(labels)
        texts["options"] = labels
    new = copy.deepcopy(document)
    new.setdefault("questions", []).append(question)
    own = new["texts"].setdefault(new.get("default_language", "en"), {})
    own.setdefault("questions", {})[question["question_id"]] = texts
    return new


def with_ready_question(document: Document, question: Document, texts: dict[str, Document]) -> Document:
    """The document with a ready-made question, worded in those of the survey's languages that it has."""
    new = copy.deepcopy(document)
    question_id = _free_slug(document, question["question_id"])
    new.setdefault("questions", []).append(question | {"question_id": question_id})
    for language, wording in texts.items():
        if language in new["texts"]:
            new["texts"][language].setdefault("questions", {})[question_id] = copy.deepcopy(wording)
    return new


def with_language(document: Document, language: str, texts: Document | None = None) -> Document:
    """The document with one more language: with these texts, else with empty ones."""
    new = copy.deepcopy(document)
    new["texts"].setdefault(language, copy.deepcopy(texts or {}))
    return new


def without_language(document: Document, language: str) -> Document:
    """The document without a language; the default stays."""
    new = copy.deepcopy(document)
    if language != new.get("default_language"):
        new["texts"].pop(language, None)
    return new


def groups(document: Document) -> list[Group]:
    """All texts of a survey in the order in which a respondent reads them."""
    best_first = categories(document)
    found = [
        Group("The score", _scale(("score",), "The question with the score")),
        Group("Why", tuple(Line(("reasons", name), f"{SIGNS[name]} {CATEGORIES[name]}") for name in best_first)),
    ]
    for position, question in enumerate(document.get("questions", [])):
        found.append(_question(position, question))
    last = [Line(("thanks", name), f"{SIGNS[name]} Thanks to {CATEGORIES[name].lower()}", long=True)
            for name in best_first]  # fmt: skip
    last += [Line(("call",), "May somebody call?"), Line(("consent",), "May praise be quoted?")]
    found.append(Group("The last page", (*last, Line(("who_reads",), "Who reads the answer"))))
    found.append(Group("Buttons", tuple(Line(("buttons", name), label) for name, label in BUTTONS.items())))
    found.append(Group("Where a value is missing", _fallbacks()))
    return found


def _fallbacks() -> tuple[Line, ...]:
    return tuple(Line(("fallbacks", name), label) for name, label in FALLBACKS.items())


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
    kind = question["type"]
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
    return " ".join(part.replace("_", " ") for part in parts)


def slug(text: str) -> str:
    """A text as a code of lower-case letters, digits and underscores; `question` where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NO_SLUG.sub("_", plain).strip("_")[:MOST_IN_SLUG].rstrip("_") or "question"


def _free_slug(document: Document, text: str) -> str:
    taken = {question["question_id"] for question in document.get("questions", [])}
    return _free(slug(text), taken)


def _free(wanted: str, taken: set[str] | dict[str, str]) -> str:
    found, number = wanted, 2
    while found in taken:
        found, number = f"{wanted}_{number}", number + 1
    return found


def _labels(options: Iterable[str]) -> dict[str, str]:
    """Code → label of the options of a choice."""
    labels: dict[str, str] = {}
    for option in options:
        if option.strip():
            labels[_free(slug(option), labels)] = option.strip()
    return labels

"""Surveys as they are edited: a document of questions and texts, changed a step at a time. No step changes the document
that it is given."""

import copy
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from services.dashboard.domain.survey_texts import Document, Path

MOST_IN_SLUG = 40
_NO_SLUG = re.compile(r"[^a-z0-9]+")


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
    """The document with one more question, worded in the default language. `kind` is one of TYPES, `named` the
    attribute of a rating, `options` the labels of a choice."""
    question: Document = {
        "question_id": _free_slug(document, named or wording or kind),
        "type": kind,
        "attribute": None,
    }
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


def with_score_wording(document: Document, texts: dict[str, Document]) -> Document:
    """The document with another wording of the scored question, in those of its languages that the wording has."""
    new = copy.deepcopy(document)
    for language, wording in texts.items():
        if language in new["texts"]:
            new["texts"][language]["score"] = copy.deepcopy(wording)
    return new


def with_call_for(document: Document, category: str, *, offered: bool) -> Document:
    """The document with the last page offering a call to a category, or not."""
    new = copy.deepcopy(document)
    others = [name for name in new.get("booking_for", []) if name != category]
    new["booking_for"] = others
    if offered:
        new["booking_for"] = [*others, category]
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


def ready_texts(document: Document, language: str, templates: Sequence[Document]) -> Document:
    """What a template with the same score says in a language, as a draft: without questions that this survey does not
    have. Empty where no template has the language."""
    fitting = [template for template in templates if template["metric"] == document["metric"]]
    fitting.sort(key=lambda template: template["nps_kind"] != document["nps_kind"])
    ids = {question["question_id"] for question in document.get("questions", [])}
    for template in fitting:
        if language in template["texts"]:
            found: Document = copy.deepcopy(template["texts"][language])
            for question_id in found.get("questions", {}).keys() - ids:
                del found["questions"][question_id]
            return found | {"reviewed_by": None}
    return {}

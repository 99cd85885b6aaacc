"""Surveys that can be published, of every shape: any metric, questions of all types, several languages, any script."""

from typing import Any

from hypothesis import strategies as st

from services.outreach.domain.surveys import BUTTONS, METRICS, NPS_KINDS, categories_of

LANGUAGES = ("en", "de", "pt-BR", "ar", "zh")
LEGAL = {
    "legal_name": "Fast Freight Ltd",
    "postal_address": "1 Dock Road\nHull",
    "imprint_url": "https://fastfreight.example/imprint",
    "privacy_url": "https://fastfreight.example/privacy?lang=en",
}
SIGNS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="{}")
words = st.text(SIGNS, min_size=1, max_size=30).filter(str.strip)
slugs = st.from_regex(r"[a-z0-9][a-z0-9_]{0,20}", fullmatch=True)


@st.composite
def survey_documents(draw: st.DrawFn) -> dict[str, Any]:
    """A survey as the API takes it, with nothing that forbids publishing."""
    metric = draw(st.sampled_from(METRICS))
    questions = draw(_questions(metric))
    languages = draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=3, unique=True))
    return {
        "name": draw(words),
        "metric": metric,
        "nps_kind": draw(st.sampled_from(NPS_KINDS)),
        "touchpoint": draw(st.none() | words),
        "product": draw(st.none() | words),
        "us": draw(st.none() | words),
        "questions": questions,
        "ratings_asked": draw(st.integers(0, 3)),
        "default_language": languages[0],
        "texts": {language: draw(_texts(metric, questions)) for language in languages},
        "legal": LEGAL,
        "booking_url": draw(st.none() | st.just("https://calls.example/fast-freight")),
        "booking_for": list(categories_of(metric)[: draw(st.integers(0, 3))]),
        "colour": draw(st.none() | st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)),
        "public_review_url": draw(st.none() | st.just("https://reviews.example/fast-freight")),
    }


@st.composite
def _questions(draw: st.DrawFn, metric: str) -> list[dict[str, Any]]:
    kinds = ["rating", "choice", "text", *(other for other in ("csat", "ces") if other != metric)]
    wanted = draw(st.lists(st.sampled_from(kinds), max_size=4))
    names = draw(st.lists(slugs, min_size=len(wanted), max_size=len(wanted), unique=True))
    questions: list[dict[str, Any]] = []
    for question_id, kind in zip(names, wanted, strict=True):
        if kind in METRICS and any(question["type"] == kind for question in questions):
            continue
        question: dict[str, Any] = {"question_id": question_id, "type": kind}
        if kind == "rating":
            question["attribute"] = draw(words)
        if kind == "choice":
            question["options"] = draw(st.lists(slugs, min_size=2, max_size=3, unique=True))
            question["several"] = draw(st.booleans())
        questions.append(question)
    return questions


@st.composite
def _texts(draw: st.DrawFn, metric: str, questions: list[dict[str, Any]]) -> dict[str, Any]:
    def wording(options: list[str]) -> dict[str, Any]:
        labels = {option: draw(words) for option in options}
        return {"text": draw(words) + " {us}", "low": draw(words), "high": draw(words), "options": labels}

    categories = categories_of(metric)  # type: ignore[arg-type]
    return {
        "score": wording([]),
        "reasons": {category: draw(words) for category in categories},
        "questions": {question["question_id"]: wording(question.get("options", [])) for question in questions},
        "thanks": {category: draw(words) for category in categories},
        "buttons": {name: draw(words) for name in BUTTONS} | {"send": "Send {score}"},
        "call": draw(words),
        "consent": draw(words),
        "who_reads": draw(words),
        "mail": {
            "subject": draw(words),
            "preheader": draw(words),
            "intro": f"{draw(words)}\n{draw(words)}",
            "sign_off": draw(words),
            "reminder_subjects": draw(st.lists(words, min_size=1, max_size=2)),
        },
        "fallbacks": {"us": draw(st.just("") | words)},
        "reviewed_by": draw(st.none() | words),
    }

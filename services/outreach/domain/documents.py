"""Surveys as JSON: what the API takes and what the table stores. What is missing is empty, since a survey is written
bit by bit; what is there must be of the right kind."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from services.outreach.domain.colours import is_colour
from services.outreach.domain.field_reader import MAX_LABEL, MAX_TEXT, UNNAMED, FieldReader
from services.outreach.domain.languages import is_language
from services.outreach.domain.logos import is_logo
from services.outreach.domain.placeholders import PLACEHOLDERS, SCORE
from services.outreach.domain.problems import Faulty
from services.outreach.domain.surveys import (
    BUTTONS,
    METRICS,
    NPS_KINDS,
    QUESTION_TYPES,
    Category,
    Legal,
    MailTexts,
    Metric,
    Question,
    QuestionTexts,
    Survey,
    Texts,
    categories_of,
)

MAX_QUESTIONS: Final = 20
MAX_OPTIONS: Final = 10
MAX_LANGUAGES: Final = 40
MAX_REMINDERS: Final = 5
MAX_INTRO: Final = 5_000


def survey_document(survey: Survey) -> dict[str, Any]:
    """The survey as JSON, the inverse of `survey_from`."""
    document = asdict(survey)
    document["booking_for"] = list(survey.booking_for)
    document["questions"] = [asdict(question) | {"options": list(question.options)} for question in survey.questions]
    for texts in document["texts"].values():
        texts["mail"]["reminder_subjects"] = list(texts["mail"]["reminder_subjects"])
    return document


def survey_from(document: Mapping[str, Any]) -> Survey:
    """Read a survey. Raises `Faulty` with every problem that was found."""
    read = FieldReader()
    document = read.object("", document)
    _only(read, "", document, Survey)
    metric: Metric = read.one_of("metric", document.get("metric"), METRICS)
    questions = _questions(read, document.get("questions", []), metric)
    survey = Survey(
        name=read.required("name", document.get("name")),
        metric=metric,
        nps_kind=read.one_of("nps_kind", document.get("nps_kind"), NPS_KINDS),
        touchpoint=read.optional("touchpoint", document.get("touchpoint")),
        product=read.optional("product", document.get("product")),
        us=read.optional("us", document.get("us")),
        questions=questions,
        ratings_asked=read.count("ratings_asked", document.get("ratings_asked", 2), MAX_QUESTIONS),
        default_language=read.language("default_language", document.get("default_language", "en")),
        texts=_all_texts(read, document.get("texts", {}), metric, questions),
        legal=_legal(read, document.get("legal", {})),
        public_review_url=read.url("public_review_url", document.get("public_review_url")) or None,
        booking_url=read.url("booking_url", document.get("booking_url")) or None,
        booking_for=_booking_for(read, document.get("booking_for", []), metric),
        colour=_colour(read, document.get("colour")),
        logo=_logo(read, document.get("logo")),
    )
    if read.problems:
        raise Faulty(read.problems)
    return survey


def _questions(read: FieldReader, items: Any, metric: Metric) -> tuple[Question, ...]:
    questions: list[Question] = []
    for index, item in enumerate(read.array("questions", items, 0, MAX_QUESTIONS)):
        field = f"questions.{index}"
        question = _question(read, field, item, metric)
        if question is None:
            continue
        for other in questions:
            if other.question_id == question.question_id:
                read.fault(f"{field}.question_id", "duplicate_question", "each question_id may appear once")
            if other.type == question.type and question.type in METRICS:
                read.fault(f"{field}.type", "second_metric", "at most one csat and one ces question")
        questions.append(question)
    return tuple(questions)


def _question(read: FieldReader, field: str, item: Any, metric: Metric) -> Question | None:
    """None for what is no further question at all."""
    if not isinstance(item, dict):
        read.fault(field, "object_type", "must be a JSON object")
        return None
    _only(read, field, item, Question)
    if item.get("type") in ("nps", metric):
        read.fault(
            f"{field}.type", "use_metric", "the question with the score is set by `metric`, and nps is only that"
        )
        return None
    kind = read.one_of(f"{field}.type", item.get("type"), QUESTION_TYPES)
    if kind == "choice":
        options = _options(read, f"{field}.options", item.get("options", []))
    else:
        options = tuple(read.array(f"{field}.options", item.get("options", []), 0, 0))
    attribute = read.optional(f"{field}.attribute", item.get("attribute"))
    if kind == "rating" and attribute is None:
        read.fault(f"{field}.attribute", "missing", "a rating says which attribute it is about")
    several = read.flag(f"{field}.several", item.get("several", False))
    if several and kind != "choice":
        read.fault(f"{field}.several", "not_a_choice", "only a choice takes several answers")
    return Question(read.slug(f"{field}.question_id", item.get("question_id")), kind, attribute, options, several)


def _options(read: FieldReader, field: str, items: Any) -> tuple[str, ...]:
    options: list[str] = []
    for index, item in enumerate(read.array(field, items, 2, MAX_OPTIONS)):
        option = read.slug(f"{field}.{index}", item)
        if option in options:
            read.fault(f"{field}.{index}", "duplicate_option", "each option may appear once")
        options.append(option)
    return tuple(options)


def _all_texts(read: FieldReader, item: Any, metric: Metric, questions: tuple[Question, ...]) -> dict[str, Texts]:
    texts: dict[str, Texts] = {}
    for language, inner in read.object("texts", item, MAX_LANGUAGES).items():
        if is_language(language):
            texts[language] = _texts(read, f"texts.{language}", inner, metric, questions)
        else:
            read.fault(f"texts.{UNNAMED}", "invalid_language", "must be a language such as de or pt-BR")
    return texts


def _texts(read: FieldReader, field: str, item: Any, metric: Metric, questions: tuple[Question, ...]) -> Texts:
    item = read.object(field, item)
    _only(read, field, item, Texts)
    categories = categories_of(metric)
    return Texts(
        score=_question_texts(read, f"{field}.score", item.get("score", {}), ()),
        reasons=read.named(f"{field}.reasons", item.get("reasons", {}), categories),
        questions=_wordings(read, f"{field}.questions", item.get("questions", {}), questions),
        thanks=read.named(f"{field}.thanks", item.get("thanks", {}), categories),
        buttons=read.named(f"{field}.buttons", item.get("buttons", {}), BUTTONS, (SCORE,)),
        call=read.text(f"{field}.call", item.get("call", "")),
        consent=read.text(f"{field}.consent", item.get("consent", "")),
        referral=read.text(f"{field}.referral", item.get("referral", "")),
        who_reads=read.text(f"{field}.who_reads", item.get("who_reads", "")),
        mail=_mail(read, f"{field}.mail", item.get("mail", {})),
        fallbacks=read.named(f"{field}.fallbacks", item.get("fallbacks", {}), PLACEHOLDERS, ()),
        reviewed_by=read.optional(f"{field}.reviewed_by", item.get("reviewed_by")),
    )


def _wordings(read: FieldReader, field: str, item: Any, questions: tuple[Question, ...]) -> dict[str, QuestionTexts]:
    """The wordings by question, in the order of the questions."""
    item = read.object(field, item)
    read.known(field, item, [question.question_id for question in questions])
    wordings: dict[str, QuestionTexts] = {}
    for question in questions:
        name = question.question_id
        if name in item:
            wordings[name] = _question_texts(read, f"{field}.{name}", item[name], question.options)
    return wordings


def _question_texts(read: FieldReader, field: str, item: Any, options: tuple[str, ...]) -> QuestionTexts:
    item = read.object(field, item)
    _only(read, field, item, QuestionTexts)
    return QuestionTexts(
        text=read.text(f"{field}.text", item.get("text", "")),
        low=read.text(f"{field}.low", item.get("low", ""), MAX_LABEL),
        high=read.text(f"{field}.high", item.get("high", ""), MAX_LABEL),
        options=read.named(f"{field}.options", item.get("options", {}), options),
    )


def _mail(read: FieldReader, field: str, item: Any) -> MailTexts:
    item = read.object(field, item)
    _only(read, field, item, MailTexts)
    subjects = []
    inside = f"{field}.reminder_subjects"
    for index, subject in enumerate(read.array(inside, item.get("reminder_subjects", []), 0, MAX_REMINDERS)):
        subjects.append(read.line(f"{inside}.{index}", subject))
    return MailTexts(
        subject=read.line(f"{field}.subject", item.get("subject", "")),
        preheader=read.line(f"{field}.preheader", item.get("preheader", "")),
        intro=read.text(f"{field}.intro", item.get("intro", ""), MAX_INTRO),
        sign_off=read.text(f"{field}.sign_off", item.get("sign_off", "")),
        reminder_subjects=tuple(subjects),
    )


def _legal(read: FieldReader, item: Any) -> Legal:
    item = read.object("legal", item)
    _only(read, "legal", item, Legal)
    return Legal(
        legal_name=read.plain("legal.legal_name", item.get("legal_name", ""), MAX_LABEL),
        postal_address=read.plain("legal.postal_address", item.get("postal_address", ""), MAX_TEXT),
        imprint_url=read.url("legal.imprint_url", item.get("imprint_url")),
        privacy_url=read.url("legal.privacy_url", item.get("privacy_url")),
    )


def _booking_for(read: FieldReader, items: Any, metric: Metric) -> tuple[Category, ...]:
    """In the order of the categories, each once."""
    categories = categories_of(metric)
    chosen = []
    for index, item in enumerate(read.array("booking_for", items, 0, len(categories))):
        chosen.append(read.one_of(f"booking_for.{index}", item, categories))
    return tuple(category for category in categories if category in chosen)


def _colour(read: FieldReader, value: Any) -> str | None:
    colour = read.optional("colour", value)
    if colour is None:
        return None
    if not is_colour(colour.lower()):
        read.fault("colour", "invalid_colour", "must be a colour such as #0b5cad")
    return colour.lower()


def _logo(read: FieldReader, value: Any) -> str | None:
    logo = read.optional("logo", value)
    if logo is not None and not is_logo(logo):
        read.fault("logo", "invalid_logo", "must be the name of an uploaded logo")
    return logo


def _only(read: FieldReader, field: str, item: Mapping[str, Any], shape: type) -> None:
    """Note members of the object that its dataclass does not have."""
    read.known(field, item, [member.name for member in fields(shape)])

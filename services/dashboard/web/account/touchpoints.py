"""Satisfaction and effort of an account by touchpoint, and its NPS beside them."""

from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.account.explanation import explained_at
from services.dashboard.web.account.view import AccountView
from services.dashboard.web.elements import Cell, Text, link, table
from services.dashboard.web.section import Section
from shared.api.accounts import Account, SurveyFigures


def place_touchpoints(view: AccountView) -> None:
    """The section of the touchpoints."""
    Section(view.visit, "Satisfaction and effort by touchpoint", view.account, _draw)


def _draw(account: Account) -> None:
    """Draw one row a survey and touchpoint, linked to the answers behind it."""
    rows = [_row(account, survey) for survey in account.by_survey]
    table(("Survey", "Score", "Which means", "Answers"), rows, "Scores by survey and touchpoint")
    if len(rows) == 1:
        Text("p", "No satisfaction (CSAT) or effort (CES) survey was answered yet.", "muted")
    else:
        Text("p", "CSAT: satisfaction, 1 to 5. CES: how easy it was, 1 to 7.", "muted")


def _row(account: Account, survey: SurveyFigures) -> list[Cell]:
    split = {"survey_type": survey.survey_type, "touchpoint": survey.touchpoint}
    target = explained_at(account.account_id, window=account.window, **split)
    touchpoint = "all answers"
    if survey.touchpoint:
        touchpoint = survey.touchpoint.replace("_", " ")
    name = f"{wording.SURVEYS[survey.survey_type]}, {touchpoint}"
    return [partial(link, name, target), *_scored(survey), wording.grouped(survey.response_count)]


def _scored(survey: SurveyFigures) -> list[Cell]:
    """The cells of the score and of its meaning."""
    if survey.survey_type == "nps":
        interval = wording.interval(survey.ci_low, survey.ci_high)
        return [wording.points(survey.nps), interval or wording.NOTHING]
    if survey.mean_score is None:
        return [wording.NOTHING, wording.NOTHING]
    score = f"{wording.decimal(survey.mean_score)} {wording.SCALES[survey.survey_type]}"
    if survey.survey_type == "csat":
        return [score, f"{wording.percent(survey.top_two_percent)} satisfied"]
    return [score, f"{wording.percent(survey.easy_percent)} found it easy"]

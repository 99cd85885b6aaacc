"""The tools whose files are known, each with its columns. Sources: docs/importing.md."""

from collections.abc import Mapping
from typing import Final, Literal

from services.collector.domain.columns import ACCOUNTS
from services.collector.domain.formats import Format

FormatName = Literal[
    "asknicely", "chatwoot", "delighted", "formbricks", "google_forms", "hubspot", "limesurvey", "posthog", "qualtrics",
    "retently", "salesforce", "surveymonkey", "tellback", "tellback_accounts", "typeform",
]  # fmt: skip
_RECOMMEND = r".*\b(recommend|weiterempfehl|empfehl|recommand|recomend)\w*\b.*"
"""The question of NPS, in English, German, French and Spanish."""
_COMPANY = r"account|account[ _]?id|company|company[ _]?id|company[ _]?name|organi[sz]ation"

# A tool whose numbers of answers go through all surveys stands for the survey itself, where its file names none.
FORMATS: Final[Mapping[str, Format]] = {
    "tellback": Format(
        recognised_by=("response_id", "account_id", "stakeholder_id", "category", "recorded_at", "revision"),
        columns={"answers": ("answers",), "attributes": ("attributes",)},
        escaped=True,
    ),
    "tellback_accounts": Format(
        kind=ACCOUNTS,
        recognised_by=("account_id", "class", "class_rule", "promoter_count", "ci_low"),
        columns={"attributes": ("attributes",)},
        escaped=True,
    ),
    "posthog": Format(
        recognised_by=(r"(\*\.)?distinct_id", r"(\*\.)?properties\.\$survey_id"),
        columns={
            "response_id": (r"(\*\.)?properties\.\$survey_submission_id", r"(\*\.)?uuid", r"(\*\.)?id"),
            "answered_at": (r"(\*\.)?timestamp",),
            "survey_id": (r"(\*\.)?properties\.\$survey_id",),
            "stakeholder_id": (r"(\*\.)?distinct_id",),
            "email": (r"(\*\.)?(person\.)?properties\.email", r"person\.email"),
            "account_id": (
                r"(\*\.)?properties\.\$groups\.(company|organization|account)",
                r"(\*\.)?properties\.\$group_0",
                r"(\*\.)?properties\.company(_id)?",
            ),
            "language": (r"(\*\.)?properties\.\$survey_language",),
            "score": (r"(\*\.)?properties\.\$survey_response",),
            "comment": (r"(\*\.)?properties\.\$survey_response_1",),
        },
        only={r"(\*\.)?event": frozenset({"survey sent"})},
        last_of="response_id",
    ),
    "delighted": Format(
        recognised_by=(r"person[_.]email", "survey_type", "score", "created_at"),
        columns={
            "response_id": ("id", "response id"),
            "email": (r"person[_.]email", "email"),
            "stakeholder_id": ("person", r"person[_.]id"),
            "account_id": (
                r"person_properties\.account_id",
                r"person_properties\.company(_id)?",
                "account_id",
                "company",
            ),
            "survey_type": ("survey_type",),
            "score": ("score",),
            "comment": ("comment",),
            "answered_at": ("created_at",),
        },
        constants={"survey_id": "delighted"},
        attributes=r"person_properties\.(?P<name>.+)",
        by_email=True,
    ),
    "formbricks": Format(
        recognised_by=("Response ID", "Timestamp", "Finished", "Survey ID"),
        columns={
            "response_id": ("Response ID", "submission_id"),
            "answered_at": ("Timestamp", "collected_at"),
            "survey_id": ("Survey ID",),
            "stakeholder_id": ("User ID",),
            "email": ("Verified Email", r"person\.email", "email"),
            "account_id": (r"person\.(account_id|company|companyId)", "account_id", "companyId", "company"),
            "language": (r"person\.language", "language"),
            "score": ("value_number", _RECOMMEND),
            "comment": ("value_text",),
        },
        attributes=r"person\.(?P<name>.+)",
        midnight_is_24=True,
    ),
    "surveymonkey": Format(
        recognised_by=("Respondent ID", "Collector ID", "Start Date", "End Date"),
        columns={
            "response_id": ("Respondent ID",),
            "answered_at": ("End Date", "Date Modified"),
            "email": ("Email Address",),
            "account_id": (_COMPANY,),
            "score": (_RECOMMEND,),
            "survey_id": ("Collector ID",),
        },
        header_rows=2,
        named_by=2,
        unsaid=frozenset({"Response", "Open-Ended Response"}),
    ),
    "qualtrics": Format(
        recognised_by=("StartDate", "RecordedDate", "ResponseId", "Finished"),
        columns={
            "response_id": ("ResponseId",),
            "answered_at": ("RecordedDate", "EndDate"),
            "email": ("RecipientEmail",),
            "stakeholder_id": (r"External(Data)?Reference",),
            "account_id": (_COMPANY,),
            "language": ("UserLanguage",),
        },
        score_beside=r"(?P<name>.+)_NPS_GROUP",
        zone_in_header=r'"timeZone": ?"(?P<zone>[A-Za-z0-9_+/-]{1,50})"',
        header_rows=3,
        never={"Status": frozenset({"survey preview", "survey test", "spam", "1", "2", "8", "9", "17", "40"})},
        by_email=True,
    ),
    "typeform": Format(
        recognised_by=("#", r"Start Date \(UTC\)", r"Submit Date \(UTC\)"),
        columns={
            "response_id": ("#",),
            "answered_at": (r"Submit Date \(UTC\)",),
            "account_id": (_COMPANY,),
            "score": (_RECOMMEND,),
        },
        # What was never submitted has no date.
        never={"Response Type": frozenset({"partial", "started"})},
        zone="UTC",
    ),
    "limesurvey": Format(
        recognised_by=("id|Response ID", "submitdate|Date submitted", "lastpage|Last page", "startlanguage|.*language"),
        columns={
            "response_id": ("id", "Response ID"),
            "answered_at": ("submitdate", "Date submitted"),
            "stakeholder_id": ("token", "Access code", "Token( ID)?"),
            "email": (r"(tid: )?email( address)?",),
            "account_id": (_COMPANY,),
            "language": ("startlanguage", "Start language"),
            "score": (_RECOMMEND,),
        },
        by_email=True,
    ),
    "google_forms": Format(
        recognised_by=("Timestamp", _RECOMMEND),
        columns={
            "answered_at": ("Timestamp",),
            "email": ("Email address", "Username"),
            "account_id": (_COMPANY,),
            "score": (_RECOMMEND,),
        },
    ),
    "hubspot": Format(
        recognised_by=(
            "Survey name|hs_survey_name",
            "Survey type|hs_survey_type",
            "Sentiment|hs_sentiment|hs_response_group",
            "Rating|hs_value",
        ),
        columns={
            "response_id": ("Record ID", "Survey submission ID", "hs_object_id"),
            "email": ("Email", r"(Associated )?Contact email"),
            "stakeholder_id": ("Contact ID", r"Associated Contact IDs?", "hs_contact_id"),
            "account_id": (r"Associated Company", "Company name", "Company"),
            "survey_type": ("Survey type", "hs_survey_type"),
            "survey_id": ("Survey ID", "hs_survey_id"),
            "score": ("Rating", "hs_value"),
            "comment": ("Response", "Follow-up response", "hs_content"),
            "answered_at": ("Date", "Submission date", "Survey submission date", "hs_submission_timestamp"),
        },
        constants={"survey_id": "hubspot"},
        # Its satisfaction is a scale of its own, 0 to 2: such rows are refused.
        words={
            "survey_type": {
                "customer loyalty": "nps",
                "customer support": "ces",
                "customer effort": "ces",
                "csat": "satisfaction from 0 to 2",
                "customer satisfaction": "satisfaction from 0 to 2",
            }
        },
        by_email=True,
    ),
    "salesforce": Format(
        recognised_by=(r"Account(: Account)? Name", r"Contact: .+|Survey.*: .+"),
        columns={
            "response_id": (r"Survey.*: (Record )?ID", "Record ID"),
            "account_id": (r"Account(: Account)? ID", r"Account(: Account)? Name"),
            "email": (r"(Contact: )?Email",),
            "stakeholder_id": (r"Contact(: Contact)? ID",),
            "score": (r"(.*: )?NPS( Score)?", r"(.*: )?Survey Score", "Response Value", "Score"),
            "comment": (r"(.*: )?(Survey )?Comments?",),
            "answered_at": (r"(.*: )?Completion Date.*", r"(.*: )?Created Date", "Date"),
        },
        footer=True,
        by_email=True,
    ),
    "chatwoot": Format(
        recognised_by=("Rating", "Feedback Comment", "Contact Email Address", "Link to the conversation"),
        columns={
            "email": ("Contact Email Address",),
            "account_id": (_COMPANY,),
            "score": ("Rating",),
            "comment": ("Feedback Comment",),
            "answered_at": ("Recorded date", "Recorded at"),
            "attributes.agent": ("Agent name",),
        },
        constants={"survey_type": "csat", "touchpoint": "support"},
        footer=True,
        zone="UTC",
    ),
    "retently": Format(
        recognised_by=("rating ?category", "campaign( ?name)?", "score"),
        columns={
            "response_id": ("id", "Response ID"),
            "email": ("email", "customer email"),
            "account_id": (r"company( ?name)?",),
            "survey_type": (r"metrics? ?type",),
            "survey_id": ("campaign ?id",),
            "score": ("score",),
            "comment": ("feedback", "comment"),
            "answered_at": ("created ?date", "response date", "date"),
        },
    ),
    "asknicely": Format(
        recognised_by=("answer", "responded", "comment", "segment|question_type"),
        columns={
            "response_id": ("response_id",),
            "email": ("email",),
            "stakeholder_id": ("person_id", "contact_id"),
            "account_id": (_COMPANY,),
            "survey_type": ("question_type",),
            "score": ("answer",),
            "comment": ("comment",),
            "answered_at": ("responded",),
        },
        constants={"survey_id": "asknicely"},
        by_email=True,
    ),
}  # fmt: skip

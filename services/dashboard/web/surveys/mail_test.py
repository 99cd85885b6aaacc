"""A survey's mail to oneself: to see it in one's own mail program, and to answer it without that it counts."""

from services.dashboard.domain import survey_texts as texts
from services.dashboard.web.elements import Text
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.section import Visit
from shared.api.calls import SEND_TEST
from shared.api.questions import SURVEY
from shared.api.surveys import Survey
from shared.errors import Conflict

ABOUT = "The published version, at once, with “[Test]” before its subject. An answer by it counts nowhere."
NO_RELAY = (
    "No mail server is set, so no mail can be sent: whoever runs Tellback sets TELLBACK_OUTREACH_SMTP_HOST. Links that"
    " you hand over yourself work without."
)


def testing(visit: Visit, survey_id: str) -> None:
    """A button that sends the mail of a survey to oneself; nothing for people who may only read."""

    async def start() -> None:
        found: list[Survey] = []

        async def load() -> None:
            found.append(await (await visit.api()).ask(SURVEY, survey_id=survey_id))

        if await attempt(load(), ""):
            _ask(visit, found[0])

    if visit.user.may("act"):
        button("Send me a test", start)


def _ask(visit: Visit, survey: Survey) -> None:
    own = ""
    if "@" in visit.user.email:
        own = visit.user.email

    def fill(fields: Fields) -> None:
        Text("p", ABOUT, "muted")
        fields.text("email", "To an address of your own domain", kind="email", value=own)
        fields.choice("language", "Language", texts.language_names(survey.languages), survey.default_language)

    async def send(values: Values) -> bool:
        async def work() -> None:
            if "email" not in values:
                await refuse("Say where it goes.")
            try:
                body = values | {"name": visit.user.name}
                await (await visit.api()).call(SEND_TEST, body, survey_id=survey.survey_id)
            except Conflict as conflict:
                if conflict.code == "no_relay":
                    await refuse(NO_RELAY)
                raise

        return await attempt(work(), "Sent: look into your mailbox")

    ask(f"Send {survey.name} to yourself", fill, send, "Send it")

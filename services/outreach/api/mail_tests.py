"""Test mails: a survey's invitation, sent to oneself."""

from pydantic import ConfigDict, Field

from services.outreach.api.links_models import Email, Input, Language, Line
from services.outreach.api.resources import TheService
from services.outreach.handlers.mail_contents import MailContents
from services.outreach.handlers.mail_tests import MailTests, SentTest, WantedTest
from shared.api.mail_tests import MailTestSent
from shared.http.auth import Actor
from shared.http.params import PathId
from shared.http.routing import Router
from shared.mail import Mailbox

router = Router(prefix="/v1/surveys", tags=["surveys"])


class MailTest(Input):
    """To whom a test mail goes, and in whose name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"email": "lea@supplier.example", "name": "Lea Maier", "language": "de"}]},
    )

    email: Email = Field(description="Of the supplier's own domains, or one of TELLBACK_OUTREACH_TEST_ADDRESSES.")
    name: Line | None = Field(default=None, description="How the mail addresses them.")
    language: Language | None = Field(default=None, description="By default the survey's own.")
    sender_email: Email | None = Field(default=None, description="Whose name the mail carries; by default `email`.")
    sender_name: Line | None = None

    def sender(self) -> Mailbox | None:
        """Whose name the mail carries, where it is given."""
        if self.sender_email is None:
            return None
        return Mailbox(self.sender_email, self.sender_name or "")


@router.post("/{survey_id}/test-sends", status_code=201, summary="Send the invitation to oneself")
async def post_test_send(survey_id: PathId, body: MailTest, caller: Actor, service: TheService) -> MailTestSent:
    """The published version, as a mail that says "[Test]". It goes at once; its answer is recorded as a test, and it
    counts nowhere. 409 `no_relay` without a relay, `mail_refused` where the relay refuses it, `objected` for an address
    that stopped all mails; 503 `relay_away`."""
    contents = MailContents(service.settings, service.tokens)
    tests = MailTests(service.database, service.clock, contents, service.versions)
    to = Mailbox(body.email, body.name or "")
    return _view(await tests.send(WantedTest(survey_id, caller.actor, to, body.sender(), body.language)))


def _view(sent: SentTest) -> MailTestSent:
    invitation = sent.invitation
    return MailTestSent(
        invitation_id=str(sent.ask_id),
        survey_id=sent.survey.survey_id,
        survey_version=sent.survey.version,
        email=invitation.to.email,
        sender_email=invitation.sender.email,
        language=invitation.language,
        url=invitation.ask_url,
        expires_at=sent.closes_at,
        confirmed=sent.confirmed,
    )

"""The sending domain: what the DNS says of it, and what is missing."""

from services.outreach.api.resources import TheService
from services.outreach.handlers.sending_domain import sending_domain
from shared.api.sending_domain import SendingDomain
from shared.http.auth import Manager
from shared.http.routing import Router

router = Router(prefix="/v1/sending-domain", tags=["programmes"])


@router.get("", summary="What the DNS says of the sending domain")
async def get_sending_domain(caller: Manager, service: TheService) -> SendingDomain:
    """Whether receivers will believe the mails: MX, SPF, DKIM, DMARC and whether they speak of the same domain, with
    the records to publish and a note for the IT of those who are asked. The DNS is asked anew each time.
    `tellback doctor --mail` says the same."""
    caller.require_all_accounts()
    return SendingDomain.model_validate(await sending_domain(service.settings, service.dns))

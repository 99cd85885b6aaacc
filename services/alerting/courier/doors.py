"""The doors of the courier: all that the rest of alerting may ask of it. It asks nothing back.

| door | |
| --- | --- |
| `subscribers`, `subscribed_types` | who wants messages of which types |
| `enqueue` | queue messages in the transaction of what they tell of; afterwards `Courier.wake` |
| `deliveries_of` | what became of messages |
| `hand_over` | an account has another owner, who may read from now on what was sent about it |
| `forget_person` | erase a person from what was sent and waits |
| `unannounced`, `take_unannounced`, `disabled_endpoints` | endpoints that were disabled, for who has to be told |
| `secrets_of`, `names_of` | check what an endpoint's receiver sends back, and name it |
"""

from services.alerting.courier.domain import messages
from services.alerting.courier.domain.messages import WebhookMessage
from services.alerting.courier.handlers.resources import Courier
from services.alerting.courier.handlers.secrets import Signatory, secrets_of
from services.alerting.courier.store.disabled import disabled_endpoints, take_unannounced, unannounced
from services.alerting.courier.store.endpoints import names_of
from services.alerting.courier.store.erasures import forget_person
from services.alerting.courier.store.log import deliveries_of
from services.alerting.courier.store.messages import (
    Subscriber,
    enqueue,
    hand_over,
    subscribed_types,
    subscribers,
)

__all__ = [
    "Courier",
    "Signatory",
    "Subscriber",
    "WebhookMessage",
    "deliveries_of",
    "disabled_endpoints",
    "enqueue",
    "forget_person",
    "hand_over",
    "messages",
    "names_of",
    "secrets_of",
    "subscribed_types",
    "subscribers",
    "take_unannounced",
    "unannounced",
]

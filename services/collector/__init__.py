"""Takes in responses, the directory, invitation and context facts over HTTP and from files; publishes them."""

from shared.topics import CONTEXT_EVENTS, DIRECTORY, INVITATIONS, RESPONSES

READS = ()
EMITS = (RESPONSES, DIRECTORY, INVITATIONS, CONTEXT_EVENTS)
SERVES = "the API for feedback, directory and imports; API keys"
OWNS = "directory, import jobs, outbox"
SCHEMA = "collector"

"""Errors as sentences for people."""

from shared.errors import Conflict, NotFound, TellbackError
from shared.http.client import Away

BROKEN = "This part is not available right now"


def sentence_of(error: TellbackError) -> str:
    """The text of an error: of the fields that are at fault, else of the whole; empty where it has none."""
    fields = [f"{fault.get('field')}: {fault.get('detail')}" for fault in error.errors or [] if fault.get("detail")]
    return "; ".join(fields) or error.detail


def why_not_shown(error: TellbackError) -> str:
    """Why a part of a page shows nothing."""
    if isinstance(error, NotFound):
        return "There is nothing here, or it is not yours"
    return sentence_of(error) or BROKEN


def why_not_done(error: TellbackError) -> str:
    """Why an action failed."""
    if isinstance(error, Away):
        return f"{error.detail}. Nothing was changed."
    if isinstance(error, Conflict) and error.service:
        return f"{sentence_of(error) or 'Somebody else changed it first'}. The page shows how it stands now."
    return sentence_of(error) or "This did not work."

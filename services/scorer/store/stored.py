"""What `tellback reconcile` compares with the records counted as new."""

from collections.abc import Mapping

from shared.topics import RESPONSES, Topic

STORED: Mapping[Topic, str] = {
    RESPONSES: "select account_id, count(*) as rows from responses group by account_id",
}
"""Topic -> the statement of (account_id, rows): every new response is one row for good, erased ones too."""

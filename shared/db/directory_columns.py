"""Columns of the directory that only some services need: those of a service whose statements filter by them. All others
read these fields from `record`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.events.directory import AccountRemoved, AccountUpserted, StakeholderRemoved, StakeholderUpserted

_DAY: Final = "date check (isfinite({name}))"


@dataclass(frozen=True, slots=True)
class FurtherColumns:
    """Columns that a service's copy of the directory has beside those of all: column -> SQL type."""

    accounts: Mapping[str, str]
    people: Mapping[str, str]

    def ddl_v1(self) -> list[str]:
        """Statements that add the columns to the tables of `directory_ddl_v1`; frozen."""
        statements = []
        for table, columns in (("accounts", self.accounts), ("stakeholders", self.people)):
            for name, kind in columns.items():
                statements.append(f"alter table {table} add column {name} {kind.format(name=name)}")
        return statements

    def of_account(self, event: AccountUpserted | AccountRemoved) -> dict[str, Any]:
        """The values of an account."""
        pause = event.do_not_ask
        values = {"do_not_ask_until": pause and pause.until, "do_not_ask_reason": pause and pause.reason}
        return {name: (vars(event) | values)[name] for name in self.accounts}

    def of_person(self, event: StakeholderUpserted | StakeholderRemoved) -> dict[str, Any]:
        """The values of a person; a removed one has none."""
        return {name: getattr(event, name, None) for name in self.people}


NONE_FURTHER: Final = FurtherColumns({}, {})
FOR_ASKING: Final = FurtherColumns(
    accounts={
        "closed_on": _DAY,
        "time_zone": "text",
        "language": "text",
        "customer_since": _DAY,
        "do_not_ask_until": _DAY,
        "do_not_ask_reason": "text",
    },
    people={
        "job_function": "text",
        "location": "text",
        "language": "text",
        "time_zone": "text",
        "mail_permission": "text",
        "email_changed_at": "timestamptz check (isfinite({name}))",
    },
)
"""Whom to ask, when and in which language. An account is not to be asked where `do_not_ask_reason` is not null and
`do_not_ask_until` is null or has not passed."""

"""Targets of response rates per owner: read beside the figures, set by those who manage."""

from collections.abc import Mapping
from functools import partial

from services.dashboard.domain import wording
from services.dashboard.web.elements import Text
from services.dashboard.web.form_fields import Fields, Values, ask, attempt, button, refuse
from services.dashboard.web.section import Visit
from shared.api.calls import SET_RESPONSE_TARGET
from shared.api.questions import RESPONSE_TARGETS
from shared.errors import TellbackError
from shared.http.client import Api

HELP = "Of those who were asked and whose mail did not bounce; account managers aim at 50 to 60. Empty: no target."


async def targets_of(api: Api) -> dict[str, float]:
    """Owner → target, from 0 to 1; empty while outreach is away."""
    try:
        found = await api.ask(RESPONSE_TARGETS)
    except TellbackError:
        return {}
    return {target.owner: target.target for target in found.items}


def standing(rate: float | None, target: float | None) -> str:
    """`55 %, behind`: the target, and whether the rate is on it."""
    if target is None:
        return wording.NOTHING
    words = wording.share(target)
    if rate is None:
        return words
    if rate < target:
        return f"{words}, behind"
    return f"{words}, on target"


def set_target(visit: Visit, owner: str | None, targets: Mapping[str, float]) -> None:
    """Draw the button that sets the target of an owner, for those who may."""
    if owner is None or not visit.user.may("manage"):
        return
    button("Set the target", partial(_ask_for, visit, owner, targets)).props["aria-label"] = f"Target of {owner}"


def _ask_for(visit: Visit, owner: str, targets: Mapping[str, float]) -> None:
    value = ""
    if owner in targets:
        value = f"{100 * targets[owner]:g}"

    def fill(fields: Fields) -> None:
        Text("p", HELP)
        fields.text("target", "Response rate in percent", value=value)

    async def send(values: Values) -> bool:
        async def work() -> None:
            body = {"owner": owner, "target": await _share(values.get("target") or "")}
            await (await visit.api()).call(SET_RESPONSE_TARGET, body)

        done = await attempt(work(), "Saved")
        await visit.refresh()
        return done

    ask(f"Target of {owner}", fill, send, "Save")


async def _share(text: str) -> float | None:
    """A share from 0 to 1 from percents as they are written; None for nothing. Refuses everything else."""
    if not text.strip():
        return None
    try:
        percent = float(text.strip().rstrip("% ").replace(",", "."))
    except ValueError:
        percent = 0
    if not 0 < percent <= 100:
        await refuse("Write a number over 0 and up to 100.")
    return percent / 100

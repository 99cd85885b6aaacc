"""The logo of a survey: a picture from the reader's machine, sent to outreach, named by the draft."""

from collections.abc import Callable
from typing import Any

from services.dashboard.domain import surveys as steps
from services.dashboard.web.elements import Text, box
from services.dashboard.web.form_fields import attempt, button, refuse
from services.dashboard.web.section import Visit
from services.dashboard.web.surveys.draft import Draft
from shared.api.calls import UPLOAD_LOGO
from shared.api.surveys import SurveyLogo

MOST_BYTES = 200_000
CONTENT = f"""(event) => {{
  const file = event.target.files[0];
  if (!file) return;
  if (file.size > {MOST_BYTES}) {{ emit(''); return; }}
  const reader = new FileReader();
  reader.onload = () => emit(reader.result.split(',')[1] || '');
  reader.readAsDataURL(file);
}}"""
"""Emits the content of the chosen file in base64; nothing of a file that is too large."""
TOO_LARGE = "A logo has at most 200,000 bytes."


def draw_logo(visit: Visit, draft: Draft, redraw: Callable[[], None]) -> None:
    """Draw the field; `redraw` draws the form anew once the survey has another logo."""

    async def name(logo: str | None) -> None:
        draft.replace(steps.changed(draft.document, ("logo",), logo))
        redraw()
        await draft.save()

    async def take(told: Any) -> None:
        made: list[SurveyLogo] = []

        async def work() -> None:
            if not told.args:
                await refuse(TOO_LARGE)
            made.append(await (await visit.api()).call(UPLOAD_LOGO, {"content": told.args}))

        if await attempt(work(), ""):
            await name(made[0].logo)

    has_one = bool(draft.document.get("logo"))
    label = "Logo: PNG, JPEG or WebP"
    if has_one:
        label = "Another logo"
    with box("label"):
        Text("span", label)
        box("input", type="file", accept="image/png,image/jpeg,image/webp").on("change", take, js_handler=CONTENT)
    if has_one:
        with box("div", "buttons"):
            button("Remove the logo", lambda: name(None))

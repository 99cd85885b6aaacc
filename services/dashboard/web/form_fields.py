"""Native form controls: fields with their values, forms in dialogs, filters kept in the address."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from nicegui import ui

from services.dashboard.web.elements import Text, box
from services.dashboard.web.sentences import why_not_done
from shared.errors import Invalid, TellbackError

Values = dict[str, Any]
"""What was put into a form: text, the ticked options of a group, or whether a box is ticked, by name of field."""
VALUE = "(event) => { element.props.value = event.target.value; emit(event.target.value) }"
"""Emits the value, and keeps it in what the page is drawn from: else what was typed would go as soon as anything on the
page is drawn again. `element` is NiceGUI's, in whose scope handlers run."""
INSTANT = "(event) => emit(event.target.value ? new Date(event.target.value).toISOString() : '')"
CHECKED = "(event) => emit(event.target.checked)"


async def attempt(work: Awaitable[Any], done: str) -> bool:
    """Run an action and show its success or error; returns whether it succeeded."""
    try:
        await work
    except TellbackError as error:
        ui.notify(why_not_done(error), type="negative", position="top", timeout=8000)
        return False
    if done:
        ui.notify(done, type="positive", position="top")
    return True


async def refuse(sentence: str) -> None:
    """Raise an error that `attempt` shows, for a form with a missing value."""
    raise Invalid("incomplete", sentence)


def button(text: str, on_click: Callable[[], Any], classes: str = "") -> Text:
    """A button."""
    made = Text("button", text, classes, type="button")
    made.on("click", lambda _: on_click())
    return made


@dataclass
class Fields:
    """The fields of a form and their values; an empty field is not in `values`."""

    values: Values = field(default_factory=dict)

    def text(self, name: str, label: str, *, long: bool = False, value: str = "", kind: str = "text") -> None:
        """A line, or a text area."""
        with box("label"):
            Text("span", label)
            if long:
                made: ui.element = Text("textarea", value)
            else:
                made = box("input", type=kind, value=value)
            self._tell(name, made, "input", VALUE, value)

    def suggested(self, name: str, label: str, values: Iterable[str], kind: str = "text") -> None:
        """A line with suggestions; other texts are allowed."""
        listed = f"suggested-{name}"
        with box("label"):
            Text("span", label)
            self._tell(name, box("input", type=kind, list=listed), "input", VALUE, "")
        with box("datalist", id=listed):
            for value in values:
                box("option", value=value)

    def several(self, name: str, label: str, options: Mapping[str, str], chosen: Sequence[str] = ()) -> None:
        """Checkboxes; the value is the list of the ticked options, in the order given."""
        ticked = dict.fromkeys(options, False) | dict.fromkeys(chosen, True)

        def put(code: str, checked: bool) -> None:
            ticked[code] = checked
            self.values[name] = list(compress(options, ticked.values()))

        self.values[name] = list(compress(options, ticked.values()))
        with box("fieldset"):
            Text("legend", label)
            for code, words in options.items():
                with box("label", "tick"), box("span"):
                    made = _checkbox(ticked[code])
                    Text("span", f" {words}")
                    made.on("change", lambda told, code=code: put(code, bool(told.args)), js_handler=CHECKED)

    def instant(self, name: str, label: str) -> None:
        """A time in the reader's own time zone."""
        with box("label"):
            Text("span", label)
            self._tell(name, box("input", type="datetime-local"), "input", INSTANT, "")

    def choice(self, name: str, label: str, options: Mapping[str, str], value: str = "") -> None:
        """A list with one choice."""
        with box("label"):
            Text("span", label)
            self._tell(name, options_of(options, value), "change", VALUE, value or next(iter(options), ""))

    def tick(self, name: str, label: str, *, value: bool = False) -> None:
        """A checkbox."""
        with box("label", "tick"), box("span"):
            made = _checkbox(value)
            Text("span", f" {label}")
            self._tell(name, made, "change", CHECKED, value)

    def _tell(self, name: str, made: ui.element, event: str, handler: str, value: Any) -> None:
        self._put(name, value)
        made.on(event, lambda told: self._put(name, told.args), js_handler=handler)

    def _put(self, name: str, value: Any) -> None:
        if value in ("", None):
            self.values.pop(name, None)
        else:
            self.values[name] = value


def options_of(options: Mapping[str, str], value: str, **attributes: Any) -> ui.element:
    """A native list to choose from."""
    with box("select", **attributes) as made:
        for code, words in options.items():
            option = Text("option", words, value=code)
            if code == value:
                option.props["selected"] = ""
    return made


def _checkbox(checked: bool) -> ui.element:
    made = box("input", type="checkbox")
    if checked:
        made.props["checked"] = ""
    return made


def ask(title: str, fill: Callable[[Fields], None], send: Callable[[Values], Awaitable[bool]], verb: str) -> None:
    """A form in a dialog; it stays open until `send` succeeds."""
    with over_the_page(title) as dialog, box("div", "dialog"):
        Text("h2", title)
        fields = Fields()
        fill(fields)

        async def submit() -> None:
            if await send(fields.values):
                dialog.close()

        with box("div", "buttons"):
            button(verb, submit, "main")
            button("Cancel", dialog.close)
    dialog.open()


def sure(title: str, text: str, verb: str, work: Callable[[], Awaitable[Any]]) -> None:
    """Ask for confirmation before an action that cannot be undone."""
    with over_the_page(title) as dialog, box("div", "dialog"):
        Text("h2", title)
        Text("p", text)

        async def go() -> None:
            dialog.close()
            await work()

        with box("div", "buttons"):
            button(verb, go, "main")
            button("Cancel", dialog.close)
    dialog.open()


def show_once(title: str, lead: str, secret: str) -> None:
    """A dialog with a secret that is shown only now."""
    with over_the_page(title, lasting=True) as dialog, box("div", "dialog"):
        Text("h2", title)
        Text("p", lead)
        Text("code", secret, "secret")
        with box("div", "buttons"):
            button("I have saved it", dialog.close, "main")
    dialog.open()


def over_the_page(title: str, *, lasting: bool = False) -> ui.dialog:
    """A dialog that belongs to the page, not to the part with its button, which may be drawn again meanwhile. Escape
    closes it, unless it is `lasting`: its content cannot be shown again."""
    with ui.context.client.content:
        dialog = ui.dialog()
    if lasting:
        dialog.props("persistent")
    else:
        dialog.props("no-backdrop-dismiss")
    dialog.props["aria-label"] = title
    dialog.on("hide", lambda _: dialog.delete())
    return dialog


def filters(
    action: str,
    fields: Sequence[tuple[str, str, Mapping[str, str] | None]],
    query: Mapping[str, str],
    keep: Sequence[str] = (),
) -> None:
    """A form whose values become the query of the address: (name, label, options or None for a search). Parameters in
    `keep` stay in the address unchanged."""
    with box("form", "filters", method="get", action=action, data_auto=""):
        for name in keep:
            if query.get(name):
                box("input", type="hidden", name=name, value=query[name])
        for name, label, options in fields:
            with box("label"):
                Text("span", label)
                if options is None:
                    box("input", type="search", name=name, value=query.get(name, ""))
                else:
                    options_of({"": "All"} | dict(options), query.get(name, ""), name=name)
        Text("button", "Show", type="submit")

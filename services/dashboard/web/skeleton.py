"""Painted before any script is loaded: the head, the title and a placeholder. It has the same links as the page, so
that they work at once; the page replaces it when it is drawn."""

from collections.abc import Sequence
from html import escape

SKELETON = '<div id="shell">{top}<main class="{classes}"><h1>{title}</h1><p class="loading">Loading …</p></main></div>'
TOP = '<header class="top"><a class="brand" href="/">Tellback</a><nav aria-label="Pages">{links}</nav></header>'


def skeleton(title: str, pages: Sequence[tuple[str, str]], here: str | None) -> str:
    """HTML for the start of the body; `here` is the page in the navigation, None where there is none."""
    if here is None:
        return SKELETON.format(top="", classes="page bare", title=escape(title))
    links = "".join(_link(path, name, current=path == here) for path, name in pages)
    return SKELETON.format(top=TOP.format(links=links), classes="page", title=escape(title))


def _link(path: str, name: str, *, current: bool) -> str:
    mark = ""
    if current:
        mark = " aria-current=page"
    return f'<a href="{escape(path)}"{mark}>{escape(name)}</a>'


def colours(theme: str | None) -> str:
    """HTML for the head: the theme chosen for this browser, applied before any script is loaded."""
    if theme in ("light", "dark"):
        return f'<script>document.documentElement.dataset.theme = "{theme}"</script>'
    return ""

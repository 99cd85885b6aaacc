"""Templates to pages. All values are escaped; addresses in the pages are relative, so that they hold behind a proxy
under any path."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from services.outreach.web.assets import STYLE_NAME
from services.outreach.web.headers import HEADERS

_TEMPLATES: Final = Environment(
    loader=PackageLoader("services.outreach.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals["style"] = f"../s/{STYLE_NAME}"


def rendered(template: str, **context: Any) -> str:
    """A page as HTML."""
    return _TEMPLATES.get_template(template).render(context)


def page(content: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """HTML as an answer, with the headers of every page."""
    return Response(content, status, headers={**HEADERS, **(headers or {})}, media_type="text/html")


def onward(query: str) -> Response:
    """After a form: to the same page by GET, so that reloading sends nothing twice. The address is relative: it leads
    nowhere else."""
    return Response(status_code=303, headers={**HEADERS, "location": f"?{query}"})

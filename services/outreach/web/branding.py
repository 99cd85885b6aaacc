"""What makes a page look like the company's: its colour as a style sheet of its own, its logo as a picture.

The style is computed from its address alone. A logo is read from the database only for tokens that were made here, so
strangers cause no query.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.outreach.domain.colours import is_colour, on_dark, on_light
from services.outreach.domain.surveys import Survey
from services.outreach.domain.tokens import Purpose, Tokens
from services.outreach.store import logos
from services.outreach.web import plain
from services.outreach.web.edge import Named
from services.outreach.web.resources import Pages
from shared.errors import Unavailable

_HEADERS: Final = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


def brand_css(colour: str) -> str:
    """The style that replaces the colour of links and buttons, light and dark; every contrast is held."""
    light, dark = on_light(colour), on_dark(colour)
    return (
        f":root{{--accent:{light.accent};--on-accent:{light.on_accent}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{dark.accent};--on-accent:{dark.on_accent}}}}}\n"
    )


def addresses_of(survey: Survey, tokens: Tokens) -> dict[str, str]:
    """`brand` and `logo`: the addresses of both, from a page below `/s/` or beside it; empty where there is none."""
    found = {"brand": "", "logo": ""}
    if survey.colour is not None:
        found["brand"] = f"../s/brand/{survey.colour[1:]}.css"
    if survey.logo is not None:
        found["logo"] = f"../s/logo/{tokens.made(Purpose.LOGO, bytes.fromhex(survey.logo))}"
    return found


async def brand(request: Request) -> Response:
    """The style of a colour."""
    pages: Pages = request.app.state.pages
    request.scope["route"] = Named("/s/brand/{colour}.css")
    colour = f"#{request.path_params['colour']}"
    if not is_colour(colour):
        return plain.unknown(request, pages.strangers)
    return Response(brand_css(colour), headers=_HEADERS, media_type="text/css")


async def logo(request: Request) -> Response:
    """A logo."""
    pages: Pages = request.app.state.pages
    request.scope["route"] = Named("/s/logo/{token}")
    opened = pages.tokens.opened(Purpose.LOGO, request.path_params["token"])
    if opened is None:
        return plain.unknown(request, pages.strangers)
    try:
        async with pages.database.read() as tx:
            found = await logos.find(tx, opened.subject.hex())
    except Unavailable:
        return plain.away(request)
    if found is None:
        return plain.ended(request, "unknown")
    return Response(found.content, headers=_HEADERS, media_type=found.kind)


ROUTES: Final = (
    Route("/s/brand/{colour}.css", brand, methods=["GET"]),
    Route("/s/logo/{token}", logo, methods=["GET"]),
)

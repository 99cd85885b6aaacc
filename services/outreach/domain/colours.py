"""The colour of a company on the pages of respondents: as near to it as can be read, whatever it is.

Contrast is that of WCAG 2.2: the relative luminance of both colours, from 1 to 21.
"""

import re
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3)."""
STEPS: Final = 100
LIGHT_GROUNDS: Final = ("#ffffff", "#f2f4f7")
DARK_GROUNDS: Final = ("#14171b", "#21262d")
"""What links and buttons stand on in either scheme; as in page.css."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WHITE: Final = (255, 255, 255)
_BLACK: Final = (0, 0, 0)

Channels = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Accent:
    """A colour for links and buttons, and that of the words on a button; both as `#rrggbb`."""

    accent: str
    on_accent: str


def is_colour(text: str) -> bool:
    """Whether it is written as `#rrggbb`, in lower case."""
    return _COLOUR.fullmatch(text) is not None


def on_light(colour: str) -> Accent:
    """The colour, as dark as it must be on a light page."""
    return Accent(_readable(colour, LIGHT_GROUNDS, _BLACK), "#ffffff")


def on_dark(colour: str) -> Accent:
    """The colour, as light as it must be on a dark page."""
    return Accent(_readable(colour, DARK_GROUNDS, _WHITE), DARK_GROUNDS[0])


def contrast(one: str, other: str) -> float:
    """The contrast of two colours."""
    lighter, darker = sorted((_luminance(_channels(one)), _luminance(_channels(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, grounds: tuple[str, ...], towards: Channels) -> str:
    """The first colour on the way from this one to black or white that can be read on all grounds."""
    begun = _channels(colour)
    mixed = colour
    for step in range(STEPS + 1):
        mixed = _mixed(begun, towards, step)
        if all(contrast(mixed, ground) >= ENOUGH for ground in grounds):
            break
    return mixed


def _mixed(begun: Channels, towards: Channels, step: int) -> str:
    channels = []
    for one, other in zip(begun, towards, strict=True):
        channels.append(round(one + (other - one) * step / STEPS))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _channels(colour: str) -> Channels:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _luminance(channels: Channels) -> float:
    """As WCAG 2.2 defines it, from 0 to 1."""
    red, green, blue = map(_linear, channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: int) -> float:
    share = channel / 255
    if share <= 0.04045:
        return share / 12.92
    return float(((share + 0.055) / 1.055) ** 2.4)

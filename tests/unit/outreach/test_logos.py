"""What is taken as a logo."""

import pytest

from services.outreach.domain.logos import MAX_BYTES, is_logo, logo_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PNG + b"x", "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp")],
)
def test_the_first_bytes_say_what_it_is(content: bytes, kind: str) -> None:
    logo = logo_of(content)
    assert (logo.kind, logo.content) == (kind, content)
    assert is_logo(logo.logo)
    assert logo_of(content) == logo


@pytest.mark.parametrize(
    "content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"<html>", b"RIFF0000WAVE", PNG[1:]]
)
def test_what_may_hold_more_than_a_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        logo_of(content)


def test_a_large_picture_is_refused() -> None:
    assert len(logo_of(PNG.ljust(MAX_BYTES, b"x")).content) == MAX_BYTES
    with pytest.raises(ValueError, match="200,000 bytes"):
        logo_of(PNG.ljust(MAX_BYTES + 1, b"x"))

"""Forms and devices are known under each key of the ring, and marked under the newest."""

from starlette.requests import Request
from starlette.responses import Response

from services.dashboard.gateways.vault import Vault
from services.dashboard.web.forms import DEVICE, FORM, Forms

OLD, NEW = "Zk3v9x0A1b2C3d4E5f6G7h8I9j0K1l2M3", "pQ7rS8tU9vW0xY1zA2bC3dE4fG5hI6jK7"
BEFORE, BOTH, AFTER = Forms((OLD,), False), Forms((NEW, OLD), False), Forms((NEW,), False)
EMAIL = "ann@supplier.example"


def asked(**cookies: str) -> Request:
    """A request that shows these cookies."""
    shown = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request({"type": "http", "headers": [(b"cookie", shown.encode())]})


def marked(forms: Forms) -> str:
    """The cookie of a device that these forms have marked."""
    response = Response()
    forms.remember_device(response, EMAIL)
    return response.headers["set-cookie"].partition("=")[2].partition(";")[0]


def test_an_open_form_can_be_sent_after_the_key_was_changed() -> None:
    request = asked(**{FORM: "browser"})
    assert BOTH.fits(request, BEFORE.token("browser"))
    assert not AFTER.fits(request, BEFORE.token("browser"))
    assert BOTH.token("browser") == AFTER.token("browser")


def test_a_known_device_stays_known() -> None:
    request = asked(**{DEVICE: marked(BEFORE)})
    assert BOTH.device_of(request, EMAIL) is not None
    assert AFTER.device_of(request, EMAIL) is None
    assert AFTER.device_of(asked(**{DEVICE: marked(BOTH)}), EMAIL) is not None


def test_keys_of_people_stay_readable() -> None:
    sealed = Vault((OLD,)).seal("tb_key", "ann")
    assert Vault((NEW, OLD)).open(sealed, "ann") == "tb_key"
    assert Vault((NEW,)).open(Vault((NEW, OLD)).seal("tb_key", "ann"), "ann") == "tb_key"

"""Every page of the code is a page of the site."""

from services.dashboard.web import site
from tests.architecture.tree import modules, name


def test_a_module_that_declares_a_page_is_one_of_the_sites() -> None:
    declaring = {
        name(path).removesuffix(".py").replace("/", ".")
        for path in modules("services")
        if name(path).startswith("services/dashboard/") and "\n@page(" in path.read_text(encoding="utf-8")
    }
    assert declaring == {page.__name__ for page in site.PAGES}

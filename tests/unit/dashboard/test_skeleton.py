"""What is painted before any script is loaded."""

from services.dashboard.web.assets import asset
from services.dashboard.web.skeleton import colours, skeleton

PAGES = (("/", "Portfolio"), ("/accounts", "Accounts"))


def test_one_may_go_on_at_once_and_sees_where_one_is() -> None:
    painted = skeleton("Accounts", PAGES, "/accounts")
    assert '<a href="/">Portfolio</a>' in painted
    assert '<a href="/accounts" aria-current=page>Accounts</a>' in painted
    assert "<h1>Accounts</h1>" in painted


def test_a_page_that_is_made_to_print_has_no_navigation() -> None:
    assert "<nav" not in skeleton("Review", PAGES, None)


def test_a_title_is_text() -> None:
    assert "<b>" not in skeleton("<b>", PAGES, "/")


def test_only_colours_that_there_are_come_from_the_cookie() -> None:
    assert 'theme = "dark"' in colours("dark")
    assert colours('";alert(1)//') == colours(None) == ""


def test_the_address_of_a_file_changes_with_what_is_in_it() -> None:
    assert asset("style.css").startswith("/static/style.css?v=")
    assert asset("style.css").rpartition("=")[2] != asset("reader.js").rpartition("=")[2]

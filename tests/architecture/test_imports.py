"""What a module may lean on, where import-linter cannot see it."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.architecture.tree import CODE, ROOT, imported, modules, name

OWN = {"services", "shared"}
PURE = {"shared.amendments", "shared.calendar", "shared.files.formulas", "shared.identity", "shared.key_ring"}
"""Rules that several domains share; as pure as these."""
PURE_MODELS = {"shared.api.programmes"}
"""What an API takes, a table stores and a domain computes with, in one form: models that do no more than check."""
PURE_LIBRARIES = {"idna", "markupsafe"}
"""Libraries that are tables and functions alone."""
SHARED_BY_DOMAINS = PURE | PURE_MODELS | PURE_LIBRARIES


def test_every_domain_is_standard_library_only() -> None:
    strangers = [
        f"{name(path)}:{line} imports {module}"
        for path in modules("services")
        if {"domain", "domain.py"} & set((parts := path.relative_to(ROOT).parts)[2:])
        for line, module in imported(path)
        if not (_is_standard(module) or _inside_own_domain(module, parts[1]) or module in SHARED_BY_DOMAINS)
    ]
    assert strangers == []


def test_what_domains_share_is_standard_library_only() -> None:
    paths = [ROOT / f"{module.replace('.', '/')}.py" for module in PURE]
    strangers = [module for path in paths for _, module in imported(path) if not _is_standard(module)]
    assert strangers == []


def test_what_the_code_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_normal(re.split(r"[\[<>=;! ]", item)[0]) for item in project["dependencies"]}
    providers = packages_distributions()
    missing = [
        f"{name(path)}:{line} imports {module}"
        for path in modules(*CODE)
        for line, module in imported(path)
        if not module.startswith(".") and not _is_standard(module) and module.split(".")[0] not in OWN
        if not declared & {_normal(dist) for dist in providers.get(module.split(".")[0], ())}
    ]
    assert missing == []


def test_nothing_is_imported_relatively() -> None:
    relative = [
        f"{name(path)}:{line}" for path in modules() for line, module in imported(path) if module.startswith(".")
    ]
    assert relative == []


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _inside_own_domain(module: str, service: str) -> bool:
    """Whether a module is in a room `domain` of the service: rooms within the service have one of their own."""
    return f"{module}.".startswith(f"services.{service}.") and "domain" in module.split(".")


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()

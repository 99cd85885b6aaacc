"""`python -P -m tools.reference` writes the documents; with `--check` it only says which are stale."""

import sys
from functools import cache
from pathlib import Path

from tools.reference import api, events, settings

ROOT = Path(__file__).parents[2]
# Folders that hold nothing else: a file there that nobody makes any more is stale as well.
GENERATED_FOLDERS = ("docs/api", "docs/events")


@cache
def wanted() -> dict[Path, str]:
    """Every generated document: path -> text."""
    documents = api.documents() | events.documents() | settings.documents()
    return {ROOT / name: text for name, text in documents.items()}


def stale(documents: dict[Path, str]) -> list[Path]:
    """Documents that are missing, differ, or are left over."""
    present = {path for folder in GENERATED_FOLDERS for path in (ROOT / folder).glob("*")}
    differing = {
        path for path, text in documents.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    return sorted(differing | (present - documents.keys()))


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 when `--check` found something stale."""
    documents = wanted()
    old = stale(documents)
    if "--check" in arguments:
        for path in old:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale: run `make docs`\n")
        return 1 if old else 0
    for path in old:
        if path not in documents:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(documents[path], encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

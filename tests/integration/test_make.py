"""`make up` in an empty copy of the repository, by the real Makefile, Python, pip and uv: the packages are small ones
of a folder, and `tellback` says that it was called."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tellback"
version = "1"
"""
BACKEND = """\
import zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tellback-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("tellback_cli.py", "import sys, needed; print('started', *sys.argv[1:])\\ndef main(): pass\\n")
        wheel.writestr("tellback-1.dist-info/entry_points.txt", "[console_scripts]\\ntellback = tellback_cli:main\\n")
        wheel.writestr("tellback-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tellback\\nVersion: 1\\n")
        wheel.writestr("tellback-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n")
        wheel.writestr("tellback-1.dist-info/RECORD", "")
    return name
"""
OFFLINE = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}
UV = Path(sys.prefix) / "bin" / "uv"
UP = ["started", "up", "--port-base", "9000"]


class Copy:
    """A folder with the Makefile, the project and locks for Python packages of a folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wheels = folder.parent / "wheels"
        self._wheels.mkdir()
        (folder / "deploy").mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        (folder / "pyproject.toml").write_text(PROJECT)
        (folder / "backend.py").write_text(BACKEND)
        (folder / "requirements.lock").write_text(self.locked("hatchling") + self.locked("uv"))
        (folder / "deploy" / "requirements.lock").write_text(self.locked("needed"))

    def locked(self, package: str) -> str:
        """Make a wheel of one empty module; returns its line for a lock."""
        path = self._wheels / f"{package}-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{package}.py", "")
            wheel.writestr(f"{package}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
            wheel.writestr(f"{package}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            wheel.writestr(f"{package}-1.dist-info/RECORD", "")
            if package == "uv":
                script = zipfile.ZipInfo("uv-1.data/scripts/uv")
                script.external_attr = 0o100_755 << 16
                wheel.writestr(script, f'#!/bin/sh\nexec {UV} "$@"\n')
        return f"{package}==1 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def up(self, python: Path) -> "subprocess.CompletedProcess[str]":
        """`make up` with this `python3`, and nothing of the `make` that runs the tests."""
        wheels = {name: str(self._wheels) for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS")}
        return subprocess.run(
            ["make", "up", f"PYTHON={python}", "ARGS=--port-base 9000"],
            cwd=self.folder,
            env=without_make(os.environ) | OFFLINE | wheels | {"UV_CACHE_DIR": str(self._wheels / "cache")},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def installed(self) -> set[str]:
        """The packages in .venv, without pip and what comes with it."""
        found = {path.name.partition("-")[0] for path in self.folder.glob(".venv/lib/*/site-packages/*.dist-info")}
        return found - {"pip", "setuptools"}


def without_make(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a `make` hands to those that it calls."""
    return {name: value for name, value in environment.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def python_that(makes_a_venv: str, folder: Path) -> Path:
    """A `python3` of which `-m venv FOLDER` runs these shell commands, and all else is this Python's."""
    made = folder / "python3"
    made.write_text(f'#!/bin/sh\nif test "$2" = venv; then {makes_a_venv}; fi\nexec {sys.executable} "$@"\n')
    made.chmod(0o755)
    return made


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "tellback")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python, whose new environments are copies of one: making one takes seconds."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    return python_that(f'cp -a {folder / "venv"} "$3"; exit', folder)


def started(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """What `tellback` was called with."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.slow
def test_up_installs_once_what_running_needs_and_anew_after_a_move(copy: Copy, python: Path, tmp_path: Path) -> None:
    assert started(copy.up(python)) == UP
    assert copy.installed() == {"needed", "hatchling", "tellback"}, "and no uv"
    again = copy.up(python)
    assert started(again) == UP
    assert "Installing" not in again.stdout
    copy.folder = copy.folder.rename(tmp_path / "moved")
    assert started(copy.up(python)) == UP
    assert str(tmp_path / "moved") in (copy.folder / ".venv" / "bin" / "tellback").read_text()


@pytest.mark.slow
def test_what_is_half_made_is_made_anew(copy: Copy, python: Path) -> None:
    """Without pip, as Debian's python3 leaves it where python3-venv is missing; then interrupted."""
    venv, lock = copy.folder / ".venv", copy.folder / "deploy" / "requirements.lock"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    whole = lock.read_text()
    lock.write_text(whole + "missing==1 --hash=sha256:" + "0" * 64 + "\n")
    assert copy.up(python).returncode != 0
    assert list(venv.glob("lib/*/site-packages/pip"))
    (venv / "left").touch()
    lock.write_text(whole)
    assert started(copy.up(python)) == UP
    assert not (venv / "left").exists()


def test_where_no_environment_can_be_made_it_says_what_to_install(copy: Copy, tmp_path: Path) -> None:
    done = copy.up(python_that('mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit 1', tmp_path))
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr
    assert not (copy.folder / ".venv").exists()

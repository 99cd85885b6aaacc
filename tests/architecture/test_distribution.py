"""The wheel, installed into a clean environment, starts everything, and is not misled by folders that carry the names
of its packages."""

import os
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import CODE, ROOT, committed, name
from tests.support.home import home_in
from tests.support.polling import eventually
from tests.support.processes import parts_folder

pytestmark = pytest.mark.slow

# A folder of somebody else's, in which `tellback` is started.
DECOY = 'raise SystemExit("a decoy was imported")\n'
START_SECONDS = 90.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tree as it is."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-P", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("tellback-*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a clean environment into which the wheel was installed.

    The libraries are those of this environment, by a path file, so that nothing is fetched. Path files within that
    folder, such as the one of our own editable installation, take no effect there.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder)
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    install: list[str | Path] = [uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel]
    subprocess.run(install, check=True, capture_output=True)
    libraries = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A working directory with packages of the same names as ours."""
    for package in CODE:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(DECOY)
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"]])
def test_tellback_runs_from_a_folder_with_decoys(programs: Path, decoys: Path, arguments: list[str]) -> None:
    environment = {"PATH": os.defpath, "HOME": str(decoys), "LANG": "C.UTF-8"}
    ran = subprocess.run(
        [programs / "tellback", *arguments],
        cwd=decoys,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.returncode == 0
    assert "Usage" in ran.stdout


@pytest.mark.timeout(180)
async def test_up_of_the_wheel_runs_everything(programs: Path) -> None:
    with parts_folder() as folder, home_in(folder) as home:
        home.up(program=programs / "tellback")
        await eventually(home.says("Ctrl-C stops everything"), START_SECONDS)
        parts = home.status()["parts"]
        assert {"kafka", "postgres", "collector", "dashboard"} <= {part["name"] for part in parts if part["ready"]}
        serving = [command for child in home.processes() if "serve" in (command := child.cmdline())]
        assert {command[0] for command in serving} == {str(programs / "python")}
        assert home.stop(signal.SIGINT) == 0


def test_every_service_can_be_imported_from_the_wheel(programs: Path, decoys: Path) -> None:
    modules = [f"services.{path.parent.name}.app" for path in sorted((ROOT / "services").glob("*/app.py"))]
    lines = [f"import {module}; print({module}.__file__)" for module in modules]
    ran = subprocess.run(
        [programs / "python", "-P", "-c", "\n".join(lines)],
        cwd=decoys,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert len(modules) == len(ran.stdout.splitlines()) > 0
    assert all(line.startswith(str(programs.parent)) for line in ran.stdout.splitlines())


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    inside = {item for item in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in item}
    assert inside == {name(path) for path in committed() if name(path).startswith(tuple(f"{part}/" for part in CODE))}

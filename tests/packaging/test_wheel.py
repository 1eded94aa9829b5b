"""The wheel, installed into a bare environment with torch and numpy, works there: `pytest -m packaging`."""

import re
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("use_strategies.py")
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


def run(*command, cwd, check=True):
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=check)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = run(
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "bench",
        "strategies",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        cwd=ROOT,
    )
    for name in tracked.stdout.splitlines():  # a copy, so that no build folder is left in the working tree
        if (ROOT / name).is_file():
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "tree" / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, folder / "tree", cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare_python(wheel, tmp_path_factory) -> Path:
    """The interpreter of a fresh environment with the wheel, torch and numpy."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^(?:torch|numpy)==.*$", constraints, re.MULTILINE)
    run(python, *PIP, "install", *pinned, cwd=folder)
    run(python, *PIP, "install", "--no-index", wheel, cwd=folder)  # everything that it requires is there
    return python


def test_the_wheel_holds_the_packages_with_their_data_and_no_tests(wheel):
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"bench", "strategies"}
    tracked = run("git", "ls-files", "bench", "strategies", cwd=ROOT).stdout.splitlines()
    data = [
        name
        for name in tracked
        if name.endswith((".py", ".toml", ".html", ".css", "py.typed"))
        if (ROOT / name).is_file()
    ]
    assert sorted(set(data) - set(names)) == []
    assert {"bench/py.typed", "strategies/py.typed", "bench/suites/quick.toml"} <= set(names)
    assert not [name for name in names if "test" in Path(name).name.split("_")]


def test_strategies_work_with_torch_and_numpy_alone(bare_python, tmp_path):
    warnings = ("-W", "error", "-W", "ignore:numba is not installed")
    done = run(bare_python, *warnings, PROGRAM, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "strategies work with numpy, torch\n"


def test_the_command_line_says_how_to_install_what_it_needs(bare_python, tmp_path):
    done = run(bare_python.with_name("imbench"), "list", cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert 'pip install "imbalance-bench[bench]"' in done.stderr

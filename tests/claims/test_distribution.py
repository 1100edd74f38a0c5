"""What is built can be installed, and carries everything that its own tests need."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import ipa

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*words: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel that is built from it."""
    folder, source = (tmp_path_factory.mktemp(name) for name in ("built", "source"))
    # A copy: setuptools writes into the tree that it builds, and another process may build it, too.
    unwanted = shutil.ignore_patterns(
        ".git", ".venv", ".*cache*", ".hypothesis", "build", "*.egg-info"
    )
    shutil.copytree(ROOT, source, ignore=unwanted, dirs_exist_ok=True)
    # Without isolation: the build's one requirement, setuptools, is in the environment's test extra.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, cwd=source)
    return folder


def names_in(built: Path) -> tuple[set[str], set[str]]:
    (source,) = built.glob("*.tar.gz")
    (wheel,) = built.glob("*.whl")
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as file:
        return packed, set(file.namelist())


def test_both_distributions_have_what_they_should(built: Path) -> None:
    packed, installed = names_in(built)
    tracked = run("git", "ls-files", cwd=ROOT).split() if (ROOT / ".git").exists() else []
    assert [name for name in tracked if name not in packed and name != ".gitignore"] == []
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ipa").rglob("*.py")}
    assert modules | {"ipa/py.typed"} <= installed
    assert not any(name.startswith("tests/") for name in installed)


def test_the_wheel_runs_and_the_source_distribution_passes_its_own_tests(
    built: Path, tmp_path: Path
) -> None:
    """The tests that are unpacked, against the package of the wheel, in an environment of their own."""
    (source,) = built.glob("*.tar.gz")
    (wheel,) = built.glob("*.whl")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip()
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    # The libraries that the tests need are those of this environment.
    here = [path for path in sys.path if path.endswith("site-packages")]
    (Path(site) / "needed.pth").write_text("\n".join(here) + "\n")
    (unpacked / "ipa").rename(tmp_path / "not-here")
    where = run(
        python, "-c", "import ipa; print(ipa.__file__)", cwd=unpacked, PYTHONPATH=""
    ).strip()
    assert where.startswith(site)
    words = ["tests/sharing", "tests/client", "tests/test_query.py", "-p", "no:cacheprovider"]
    # Whatever else is installed here, a plugin of pytest say, is none of the package's business.
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    shown = run(python, "-m", "pytest", *words, cwd=unpacked, **alone)
    assert " passed" in shown or "100%" in shown
    assert (
        run(python, "-m", "ipa", "--version", cwd=tmp_path, PYTHONPATH="")
        == f"ipa {ipa.__version__}\n"
    )


def test_the_names_and_versions_agree() -> None:
    assert PROJECT["name"] == "ipa-reference"
    assert PROJECT["dynamic"] == ["version"]
    declared = {c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if " 3." in c}
    assert declared == {"3.11", "3.12", "3.13", "3.14"}
    assert PROJECT["requires-python"] == ">=3.11"

"""A temporary directory is there as long as somebody uses it, and then it is gone."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import sleep

import pytest
from apart_cases import wait_until

from ipa.errors import InputError, ParameterError
from ipa.service import temporary_directory as module
from ipa.service.temporary_directory import temporary_directory


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_it_is_its_owner_s_alone_and_gone_with_the_context(tmp_path: Path) -> None:
    with temporary_directory() as directory:
        assert directory.path.parent == tmp_path
        assert directory.path.stat().st_mode & 0o777 == 0o700
        (directory.path / "inner").mkdir()
        (directory.path / "inner/file").write_text("text")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError):
        os.fstat(directory.descriptor)


def test_an_error_goes_through_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), temporary_directory() as directory:
        raise KeyError(directory)
    assert list(tmp_path.iterdir()) == []


PROGRAM = """\
import os, signal, subprocess, sys
from ipa.service.temporary_directory import temporary_directory
with temporary_directory() as directory:
    if "user" in sys.argv:
        words = [sys.executable, "-S", "-c", "input()"]
        subprocess.Popen(words, pass_fds=[directory.descriptor])
    assert directory.path.is_dir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("words", [[], ["user"]])
def test_it_is_gone_when_whoever_made_it_is_killed_and_its_users_have_ended(
    words: list[str], tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], env=environment, stdin=subprocess.PIPE
    ) as process:
        assert process.wait(60) == -signal.SIGKILL
        if words:
            sleep(0.2)  # it would be gone by now
            assert len(list(tmp_path.iterdir())) == 1
        process.communicate(b"\n")
        wait_until(lambda: not list(tmp_path.iterdir()))


def test_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "_KEEPER", "raise SystemExit(1)")
        with pytest.raises(InputError, match="no temporary directory can be made"):
            temporary_directory().__enter__()
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(ParameterError, match="where there is POSIX"):
        temporary_directory().__enter__()

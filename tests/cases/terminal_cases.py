"""What a command shows on a terminal of a given width."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import ipa

WIDTHS = [20, 40, 60, 80]


def seen(width: int, words: list[str], folder: Path) -> str:
    """What a command shows on a pseudo-terminal of that width, styles taken away."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    package = str(Path(ipa.__file__).parents[1])  # the one under test, wherever this is run
    environment = os.environ | {
        "TERM": "xterm-256color",
        "PYTHONUTF8": "1",
        "PYTHONPATH": package,
    }
    environment.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, "-m", "ipa", *words], cwd=folder, env=environment, stdout=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
        assert process.wait(60) == 0
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in plain
    assert not re.search(r"\x1b\[[0-9;]*[2-9]", text)  # bold at most: nothing hidden or coloured
    return plain


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # how Linux says that nobody has the other end any more
        return b""

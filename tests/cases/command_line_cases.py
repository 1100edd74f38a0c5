"""Events and words of the `ipa` command over them, for the tests of its contract."""

import json

import pytest

from ipa.commands.command_line import main
from ipa.events import COLUMNS

HEADER = ",".join(COLUMNS)
SOURCE = "source,7,1,10,2,"
TRIGGER = "trigger,7,1,20,,25"
ASKED = ["--breakdowns", "4", "--cap", "100"]
QUERY = [*ASKED, "--security", "semi-honest", "--no-noise"]
OPTIONS = {"query": QUERY, "oracle": ASKED}


def sums_of(capsys: pytest.CaptureFixture[str], *words: str) -> list[int]:
    assert main([*words, "--format", "json"]) == 0
    sums: list[int] = json.loads(capsys.readouterr().out)["sums"]
    return sums

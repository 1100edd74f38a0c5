"""docs/halo.md names files that exist, gives commands that run, and numbers that are so."""

import re
import shlex
from fractions import Fraction
from pathlib import Path

import pytest

import ipa.halo
from ipa.commands.command_line import main
from ipa.halo.groups import group_by_name
from ipa.halo.liquid_legions import LiquidLegions, LiquidLegionsNoise
from ipa.halo.noise import PrivacyParameters, worker_noise

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "halo.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]


def test_every_module_is_in_the_table_and_every_file_exists() -> None:
    modules = {path.name for path in Path(ipa.halo.__file__).parent.glob("[a-z]*.py")}
    listed = TEXT.split("## Which file is what")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z0-9_]+\.py)`", listed)) == modules
    paths = re.findall(r"`((?:ipa|tests|examples)/[\w/]+\.(?:py|json|csv))`", TEXT)
    assert paths and [path for path in paths if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    name, *words = shlex.split(command)
    assert name == "ipa" and main(words) == 0
    assert "reach" in capsys.readouterr().out


def test_the_noise_of_a_measurement_is_what_is_said() -> None:
    whole, half = (
        PrivacyParameters(Fraction(1, part), Fraction(1, part * 10**9)) for part in (1, 2)
    )
    parameters = LiquidLegions(
        group=group_by_name("clear"),
        workers=3,
        publishers=3,
        max_frequency=10,
        noise=LiquidLegionsNoise(
            worker_noise(half, 3),
            worker_noise(whole, 3, 3),
            worker_noise(whole, 3, 2),
            worker_noise(half, 3, 2),
        ),
    )
    said = re.search(r"about ([\d,]+) registers and ([\d,]+) tuples", TEXT)
    assert said
    registers, tuples = (int(number.replace(",", "")) for number in said.groups())
    assert abs(parameters.noise_registers - registers) < 50
    assert abs(parameters.noise_tuples - tuples) < 50

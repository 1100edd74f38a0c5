"""docs/conformance.md says what is so: steps, reasons, numbers, files."""

import re
from pathlib import Path

from ipa.commands.conform import DEADLINE_SECONDS
from ipa.conformance.message_runs import REASONS
from ipa.conformance.program import MAX_LINE
from ipa.conformance.reference import STEPS
from ipa.parameters import QueryParameters
from ipa.testing import __all__ as strategies

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def table_below(heading: str) -> list[list[str]]:
    """The cells of the last table of a section."""
    section = TEXT.split(heading)[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_step_is_in_the_table() -> None:
    named = set()
    for names, _ in table_below("## The vectors"):
        first, *others = re.findall(r"`([\w/-]+)`", names)
        group = first.split("/")[0]
        named |= {first, *(f"{group}/{name}" for name in others)}
    assert named == set(STEPS)


def test_every_reason_is_in_the_table() -> None:
    section = TEXT.split("Reasons of stages that are a step's path:")[1].split("\nOther stages")[0]
    assert set(re.findall(r"`([a-z ]+)`", section)) == set(REASONS.values())


def test_the_numbers_are_so() -> None:
    assert f"seconds for a case ({DEADLINE_SECONDS:g})" in " ".join(TEXT.split())
    assert f"{MAX_LINE >> 20} MiB" in TEXT
    default = QueryParameters(breakdowns=1, cap=1)
    widths = default.match_key_bits, default.attribution_constraint_id_bits, default.timestamp_bits
    names = ("match key", "constraint ID", "timestamp")
    said = re.search(
        "widths of "
        + ", ".join(rf"(\d+) \({name}\)" for name in names)
        + r" and (\d+) bits \(value\)",
        TEXT.replace("\n", " "),
    )
    assert said is not None
    assert tuple(map(int, said.groups())) == (*widths, default.value_bits)
    assert default.capping == "proportional" and default.security == "malicious"


def test_every_file_exists_and_the_strategies_are_offered() -> None:
    paths = re.findall(r"`((?:ipa|tests|examples|docs)/[\w./-]+)`", TEXT)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists() and "*" not in path] == []
    listed = TEXT.split("## Strategies")[1].split("\n## ")[0]
    names = set(re.findall(r"`([a-z_]+)`", listed)) - {"testing"}
    assert names <= set(strategies)
    for name in ("adapter.py", "adapter.mjs", "attribution_pass.py"):
        assert f"`{name}`" in TEXT and (ROOT / "examples" / "conformance" / name).is_file()

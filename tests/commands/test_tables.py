"""Tables on terminals of any width: every number whole, every name as data, looked at as text."""

import io
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from terminal_cases import WIDTHS, seen

from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.epochs import WEEK, EpochClock
from ipa.budget.ledger_directory import create_ledgers
from ipa.commands.progress import Progress
from ipa.commands.tables import Table, fold, terminal_width, write_table

NAMES = ["x[/y]", "a[conceal]b[/conceal]", "x[link=https://evil.example]z[/link]", "x:smile:[bold]"]
LONG = "n" * 200 + ".example"
EVENTS = """\
report,match_key,attribution_constraint_id,timestamp,breakdown_key,trigger_value
source,7,1,10,2,
trigger,7,1,20,,4000000000
trigger,7,1,30,,4000000000
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", WIDTHS)
def test_the_sums_of_a_query_are_whole_at_any_width(width: int, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    words = ["oracle", "events.csv", "--breakdowns", "4", "--cap", str(2**40), "--value-bits", "32"]
    lines = seen(width, words, tmp_path).split("reports, ")[0].splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum("8,000,000,000" in line for line in lines) == 1
    assert any("█" in line for line in lines) == (width >= 80)
    assert any("─" in line for line in lines) == (width >= 40)
    if width == 20:
        assert "breakdown key: 2\nsum: 8,000,000,000\n" in "\n".join(lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_data_and_hide_no_number(width: int, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    clock = EpochClock(start=int(time.time()) - WEEK, seconds=WEEK)
    terms = BudgetTerms(site_epsilon=Fraction(10), clock=clock)
    ledgers = create_ledgers(ledger, terms, network_name="net.example")
    for site, collector in zip([*NAMES, LONG], [*NAMES[1:], LONG, NAMES[0]], strict=True):
        share = CollectorShare(
            report_collector=collector,
            network_name="net.example",
            match_key_provider="on-device",
            epsilon=Fraction("1.234567"),
        )
        commitment = Commitment(site=site, epoch=1, shares=(share,))
        ledgers[0].board.commit(commitment, now=int(time.time()))
    shown = seen(width, ["budget", "--ledger", "ledger"], tmp_path)
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.count("1.234567") == 2 * (len(NAMES) + 1)
    if width == 80:
        together = "".join(shown.split())
        assert NAMES[0] in together
        assert together.count("nnnnnnnnnnnn") >= 2
    narrow = "".join(seen(20, ["budget", "--ledger", "ledger"], tmp_path).split())
    for name in [*NAMES, LONG]:
        assert narrow.count(name) == 2, name


def drawn(table: Table, width: int, rich: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    if not rich:
        monkeypatch.setattr("ipa.commands.tables.find_spec", lambda name: None)
    terminal = Terminal()
    write_table(table, terminal)
    return terminal.getvalue().splitlines()


TABLE = Table(
    ("a name", "one number", "bar"),
    [("first", "1,234", "#" * 10), ("second one", "56", "")],
    text=(0,),
    bar=2,
)


@pytest.mark.parametrize("rich", [True, False])
def test_what_is_given_up_and_in_which_order(rich: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(width: int) -> list[str]:
        shown = drawn(TABLE, width, rich, monkeypatch)
        return [line.rstrip() for line in shown if "─" not in line]

    whole = [
        "a name      one number  bar",
        "first            1,234  ##########",
        "second one          56",
    ]
    assert lines(34) == whole
    without_bar = [line[:22].rstrip() for line in whole]
    assert lines(33) == lines(22) == without_bar
    narrow = lines(18)  # the header of the numbers gives way
    assert narrow[-2:] == ["first        1,234", "second one      56"]
    assert sorted(" ".join(narrow[:-2]).split()) == ["a", "name", "number", "one"]
    stacked = [
        "a name: first",
        "one number: 1,234",
        "",
        "a name:",
        "second one",
        "one number: 56",
        "",
    ]
    assert lines(17) == stacked


@pytest.mark.parametrize("rich", [True, False])
def test_text_is_folded_before_cells_stand_alone(
    rich: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(("t", "u", "n"), [("long words and some more", "x" * 30, "9" * 9)], text=(0, 1))
    lines = [line.rstrip() for line in drawn(table, 40, rich, monkeypatch) if "─" not in line]
    assert lines[1:] == [
        "long words     xxxxxxxxxxxxxx  999999999",
        "and some more  xxxxxxxxxxxxxx",
        "               xx",
    ]
    assert drawn(table, 37, rich, monkeypatch)[-3].split() == ["long", "words", "x" * 12, "9" * 9]
    lines = drawn(table, 36, rich, monkeypatch)
    assert lines[-1] == "" and lines[-2] == "n: 999999999"
    lines = drawn(table, 5, rich, monkeypatch)
    assert lines[-2] == "999999999"  # wider than the terminal, and still whole


def test_where_there_is_no_terminal_nothing_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "5")
    stream = io.StringIO()
    write_table(TABLE, stream)
    assert "first            1,234  ##########\n" in stream.getvalue()


def test_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("33", 33), ("0", 80), ("", 80), ("x", 80), ("-5", 80)):
        monkeypatch.setenv("COLUMNS", columns)
        assert terminal_width(io.StringIO()) == width


@examples(200)
@given(st.text(alphabet="ab 例́", max_size=30), st.integers(1, 12))
def test_folding_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = fold(text, width)
    assert lines
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        places = sum({"例": 2, "́": 0}.get(character, 1) for character in line)
        assert places <= width or line.strip("́") == "例"


def test_words_stay_together_if_they_fit() -> None:
    assert fold("one two three", 7) == ["one two", "three"]
    assert fold("one twothree", 7) == ["one", "twothre", "e"]
    assert fold("例え.example", 4) == ["例え", ".exa", "mple"]
    assert fold("", 3) == [""]


def test_wide_characters_are_two_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(("n", "é"), [("例え", "1"), ("ab", "2"), ("e\u0301e\u0301", "3")], text=(0,))
    lines = drawn(table, 80, False, monkeypatch)
    assert lines == ["n     é", "例え  1", "ab    2", "e\u0301e\u0301    3"]


def test_progress_keeps_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipa.commands.progress._SECONDS_BETWEEN", 0.0)
    for width, longest in (("20", 19), ("200", 70)):
        monkeypatch.setenv("COLUMNS", width)
        terminal = Terminal()
        with Progress(terminal, 5) as progress:
            progress.step("query/" + "s" * 90)
        assert len(terminal.getvalue().split("\x1b[K")[1].removesuffix("\r")) == longest

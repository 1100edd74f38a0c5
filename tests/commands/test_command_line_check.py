"""The `--check` of the `ipa` command, which compares its answer with SQL."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from command_line_cases import ASKED, HEADER, QUERY, SOURCE, TRIGGER

import ipa.commands.checking
import ipa.commands.query
import ipa.oracle.sql
from ipa import run_query
from ipa.commands.checking import sums_by_sql
from ipa.commands.command_line import main
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters
from ipa.query import QueryResult


@pytest.mark.parametrize(("count", "more"), [(1, ""), (3, " (and 2 more)")])
def test_check_finds_a_difference(
    count: int,
    more: str,
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(events: list[Event], parameters: QueryParameters) -> list[int]:
        sums = query_sql(events, parameters)
        return [total + (key >= 4 - count) for key, total in enumerate(sums)]

    monkeypatch.setattr(ipa.commands.checking, "query_sql", wrong)
    path = file_of(HEADER, "source,7,1,10,0,", TRIGGER)
    assert main(["query", path, *QUERY, "--check"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("breakdown key")
    key = 4 - count
    assert captured.err == (
        f"ipa query: check failed, breakdown key {key} has 0 and should have 1{more}\n"
    )
    assert main(["oracle", path, *ASKED, "--check"]) == 1
    assert main(["query", path, *QUERY]) == 0


def test_check_finds_a_wrong_query(
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(events: list[Event], parameters: QueryParameters, **_: object) -> QueryResult:
        result = run_query(events, parameters, no_noise=True)
        return replace(result, sums=[*result.sums[:-1], result.sums[-1] ^ 1])

    monkeypatch.setattr(ipa.commands.query, "run_query", wrong)
    assert main(["query", file_of(HEADER, SOURCE, TRIGGER), *QUERY, "--check"]) == 1
    assert "breakdown key 3 has 1 and should have 0\n" in capsys.readouterr().err


def test_an_interrupt_inside_sql_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(blob: bytes) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ipa.oracle.sql, "_number", interrupted)
    events: list[Event] = [SourceEvent(7, 1, 10, 2), TriggerEvent(7, 1, 20, 25)]
    with pytest.raises(KeyboardInterrupt):
        sums_by_sql(events, QueryParameters(breakdowns=4, cap=100))

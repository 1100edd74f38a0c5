"""An events file, its reports and their answer on the command line, for the tests of commands."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from ipa import generate_events, write_events_csv
from ipa.commands.command_line import main
from ipa.events import Event
from ipa.parameters import QueryParameters

NEWS, SHOP = "news.example", "shop.example"
PARAMETERS = QueryParameters(breakdowns=4, cap=60)
NOISY = ["--breakdowns", "4", "--cap", "60", "--security", "semi-honest"]
"""A query whose words go on with --epsilon."""

QUERY = [*NOISY, "--no-noise"]


def two_sites(count: int = 60) -> list[Event]:
    rng = random.Random(1)
    events = generate_events(count, users=6, breakdowns=4, seed=2)
    return [replace(event, site=rng.choice([NEWS, SHOP])) for event in events]


def write_events(events: list[Event]) -> None:
    with Path("events.csv").open("w", encoding="utf-8") as stream:
        write_events_csv(events, stream)


def collect(*words: str, site: str = NEWS, fanout: str = "source", out: str = "q") -> int:
    query = ["--network", "net/network.json", "--site", site, "--fanout", fanout, "--out", out]
    return main(["collect", "events.csv", *query, *words])


def answer(capsys: pytest.CaptureFixture[str], *words: str, out: str = "q") -> dict[str, object]:
    """The answer, charged if the words say so."""
    capsys.readouterr()
    budget = [] if "--ledger" in words else ["--no-budget"]
    asked = NOISY if "--epsilon" in words else QUERY
    assert main(["query", out, "--keys", "net", *asked, "--format", "json", *budget, *words]) == 0
    result = json.loads(capsys.readouterr().out)
    assert isinstance(result, dict)
    return result


def fails(capsys: pytest.CaptureFixture[str], status: int, said: str, words: list[str]) -> None:
    """The command ends with a status, one line that says why, and leaves no file behind."""
    capsys.readouterr()
    before = sorted(Path().rglob("*"))
    try:
        found = main(words)
    except SystemExit as exit:
        found = int(str(exit.code))
    output = capsys.readouterr()
    assert (found, output.out) == (status, "")
    assert said in output.err
    assert output.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before

"""Wrong ways to handle a budget, and paths that cannot be, with every command that takes one."""

from dataclasses import replace
from pathlib import Path

import pytest
from command_cases import NEWS, NOISY, collect, fails, two_sites, write_events

from ipa.commands.command_line import main


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


def test_wrong_ways_to_handle_a_budget_are_one_line(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--network", "net/network.json"]
    budget = ["budget", "--ledger", "l"]
    fails(capsys, 2, "no budget ledgers here", budget)
    fails(capsys, 2, "need --network", [*budget, "--create", "1"])
    fails(capsys, 2, "need --network", [*budget, "--commit", "a=1"])
    fails(capsys, 2, "needs --site", [*budget, "--commit", "a=1", *network])
    both = [*budget, "--create", "1", *network, "--site", NEWS, "--commit"]
    fails(capsys, 2, "COLLECTOR=EPSILON", [*both, "a"])
    fails(capsys, 2, "plain decimal", [*both, "a=-1"])
    fails(capsys, 2, "plain decimal", [*budget, "--create", "x", *network])
    fails(capsys, 3, "more than its budget of 1", [*both, "a=0.5", "--commit", "b=0.6"])
    missing = ["budget", "--ledger", "no/l", "--create", "1", *network]
    fails(capsys, 2, "no/l: the budget ledgers cannot be created", missing)
    fails(
        capsys, 2, "no budget ledgers here", [*budget, *network, "--site", "a", "--commit", "a=1"]
    )
    for option in ("--site", "--epoch", "--match-key-provider"):
        fails(capsys, 2, f"{option} is for --commit", [*budget, option, "1"])
    for option in ("--epoch-start", "--epoch-seconds", "--open-epochs"):
        fails(capsys, 2, f"{option} is for --create", [*budget, option, "1"])
    fails(capsys, 3, "can be for epoch 2, the next one", [*both, "a=1", "--epoch", "3"])
    fails(capsys, 2, "epoch seconds must be", [*both, "a=1", "--epoch-seconds", "0"])
    fails(capsys, 2, "--network is for --create and --commit", [*budget, *network])
    fails(capsys, 2, "exclude each other", [*budget, "--queries", "--format", "json"])
    assert main([*both, "a=1"]) == 0
    again = [*budget, *network, "--site", NEWS, "--commit"]
    assert main([*again, "a=1"]) == 0
    fails(capsys, 3, "cannot change that", [*again, "a=0.5"])
    fails(capsys, 3, "more than its budget of 1", [*again, "a=1.5", "--epoch", "2"])
    fails(capsys, 3, "with another budget or clock", [*budget, "--create", "2", *network])
    fails(capsys, 3, "budget or clock", [*budget, "--create", "1", *network, "--epoch-start", "5"])
    fails(capsys, 2, "l: no query first was charged", [*budget, "--query-id", "first"])
    fails(capsys, 2, "no commitment board here", [*budget, "--board", "b"])
    Path("l/helper3.ledger").write_text("no ledger")
    fails(capsys, 2, "not a budget ledger", budget)
    Path("f").write_text("no ledger")
    fails(capsys, 2, "f: there are no budget ledgers here", ["budget", "--ledger", "f"])


@pytest.mark.parametrize("name", ["x" * 300, "a\nb/c", "net/network.json/x"])
def test_a_path_that_cannot_be_is_one_line_that_names_it(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(3)])
    assert collect() == 0
    shown = name.replace("\n", "\\n")
    network = ["--network", "net/network.json"]
    asked = ["collect", "events.csv", "--site", NEWS, "--fanout", "source"]
    for words in (
        ["keygen", "--out", name],
        [*asked, *network, "--out", name],
        [*asked, "--network", name, "--out", "n"],
        ["query", name, "--keys", "net", *NOISY, "--no-noise"],
        ["query", "q", "--keys", name, *NOISY, "--no-noise", "--no-budget"],
        ["budget", "--ledger", name],
        ["budget", "--ledger", name, "--create", "1", *network],
        ["query", "q", "--keys", "net", *NOISY, "--ledger", name, "--epsilon", "1"],
    ):
        fails(capsys, 2, shown, words)

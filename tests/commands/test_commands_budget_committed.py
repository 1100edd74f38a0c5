"""What sites commit on the command line: deltas, epochs, networks that share a board, domains."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command_cases import NEWS, NOISY, answer, collect, fails, two_sites, write_events

from ipa.commands.command_line import main
from ipa.events import Event, SourceEvent, TriggerEvent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


def test_delta_is_given_behind_a_comma_and_shown(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--network", "net/network.json"]
    budget = ["budget", "--ledger", "l"]
    created = [*budget, "--create", "2,2e-6", *network]
    words = ["--site", NEWS, "--commit", f"{NEWS}=1,5e-7", "--commit"]
    fails(capsys, 3, "commits delta 2.1e-6", [*created, *words, "b=c=0.5,1.6e-6"])
    assert main([*created, *words, "b=c=0.5,0.0000015"]) == 0
    fails(capsys, 3, "another budget or clock", [*budget, "--create", "2", *network])
    shown = json.loads(_output(capsys, [*budget, "--format", "json"]))
    assert [(one["report_collector"], one["granted"]) for one in shown] == [
        ("b=c", {"epsilon": "0.5", "delta": "1.5e-6"}),
        (NEWS, {"epsilon": "1", "delta": "5e-7"}),
    ]
    assert [(one["spent"], one["remaining"] == one["granted"]) for one in shown] == [
        ({"epsilon": "0", "delta": "0"}, True)
    ] * 2
    lines = _output(capsys, budget).splitlines()
    assert lines[2].split()[2:] == [NEWS, NEWS, "1,5e-7", "0,0", "1,5e-7"]
    for wrong in ("1,", "1,x", "1,1e-19", "1,1", "1,0,0", "1,-1e-9"):
        fails(capsys, 2, "delta must be", [*budget, "--create", wrong, *network])
        fails(
            capsys, 2, "delta must be", [*budget, *network, "--site", "a", "--commit", f"a={wrong}"]
        )
    assert main([*budget, *network, "--site", "a.example", "--commit", "c=2,0"]) == 0


def test_what_is_said_of_no_delta_is_the_default(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--network", "net/network.json"]
    created = ["budget", "--ledger", "l", "--create", "2", *network]
    assert main([*created, "--site", NEWS, "--commit", f"{NEWS}=1"]) == 0
    assert main(["budget", "--ledger", "l", "--create", "2,1e-6", *network]) == 0
    (shown,) = json.loads(_output(capsys, ["budget", "--ledger", "l", "--format", "json"]))
    assert shown["granted"]["delta"] == "1e-7"
    with pytest.raises(SystemExit):
        main(["budget", "--help"])
    helped = " ".join(capsys.readouterr().out.split())
    assert "default of DELTA: 1e-6" in helped and "default of DELTA: 1e-7" in helped


def at(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    monkeypatch.setattr(time, "time", lambda: now + 0.9)


def test_budgets_refresh_and_close_as_time_goes_by(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epoch 1 begins when the ledgers are created; its budget is open in epoch 2 and no longer."""
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    network = ["--network", "net/network.json"]
    site = ["--site", NEWS, "--commit"]
    start = 1_700_000_000
    at(monkeypatch, start)
    created = ["budget", "--ledger", "l", "--create", "1", *network]
    assert main([*created, "--epoch-seconds", "100", *site, f"{NEWS}=0.5"]) == 0
    at(monkeypatch, start + 99)
    assert main([*created, "--epoch-seconds", "100"]) == 0  # the clock is the board's
    paid = ["query", "q", "--keys", "net", *NOISY, "--ledger", "l", "--epsilon", "0.1"]
    assert main(paid) == 0
    committed = ["budget", "--ledger", "l", *network, *site, "b=1"]
    fails(capsys, 3, "is committed for epoch 1 already", committed)
    assert main([*committed, "--epoch", "3"]) == 3
    assert main([*committed, "--epoch", "2"]) == 0
    at(monkeypatch, start + 199)
    assert main(paid) == 0
    new_site = ["--site", "a.example", "--commit", "c=1"]
    assert main(["budget", "--ledger", "l", *network, *new_site]) == 0  # for the running epoch
    capsys.readouterr()
    assert main(["budget", "--ledger", "l", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [
        (one["epoch"], one["report_collector"], one["remaining"]["epsilon"]) for one in shown
    ] == [
        (1, NEWS, "0.3"),
        (2, "c", "1"),
        (2, "b", "1"),
    ]
    closing = [one["closes"] for one in shown]
    assert closing == ["2023-11-14T22:16:40Z", *["2023-11-14T22:18:20Z"] * 2]
    at(monkeypatch, start + 200)
    capsys.readouterr()
    fails(capsys, 3, "the budget of epoch 1 is closed since 2023-11-14T22:16:40Z", paid)


def test_two_networks_share_a_board(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", "--out", "other", "--name", "other.example"]) == 0
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    assert collect("--network", "other/network.json", out="o") == 0
    for name, ledger in (("net", "l"), ("other", "m")):
        network = ["--network", f"{name}/network.json"]
        words = ["budget", "--ledger", ledger, "--board", "b", *network, "--create", "1"]
        assert main(words) == 0
    words = ["--site", NEWS, "--commit", f"{NEWS}=1"]
    commit = ["budget", "--ledger", "l", "--board", "b", "--network", "net/network.json", *words]
    assert main(commit) == 0
    again = ["budget", "--ledger", "m", "--board", "b", "--network", "other/network.json", *words]
    fails(capsys, 3, "is committed for epoch 1 already", again)
    paid = ["--ledger", "m", "--board", "b", "--epsilon", "1"]
    asked = ["query", "o", "--keys", "other", *NOISY]
    fails(capsys, 3, "is committed to helper party network helpers.example", [*asked, *paid])
    paid[1] = "l"
    assert main(["query", "q", "--keys", "net", *NOISY, *paid]) == 0
    assert sorted(path.name for path in Path("l").iterdir()) == [
        f"helper{helper}.ledger" for helper in (1, 2, 3)
    ]


def test_one_domain_has_one_budget_whatever_its_hosts(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def registrable_domain(host: str) -> str | None:
        return ".".join(host.split(".")[-2:])

    monkeypatch.setattr("ipa.commands.options.by_public_suffix_list", lambda: registrable_domain)
    hosts = ["", "www.news.example", "news.example"]
    events: list[Event] = [TriggerEvent(7, 1, 10, 5, host) for host in hosts]
    write_events([*events, TriggerEvent(7, 1, 10, 5, "app:com.News.Reader")])
    budget = ["budget", "--ledger", "ledger"]
    network = ["--network", "net/network.json"]
    host = ["--site", "www.news.example", "--public-suffixes"]
    assert main([*budget, "--create", "2", *network, *host, "--commit", f"{NEWS}=1"]) == 0
    again = [*budget, *network, "--public-suffixes", "--commit"]
    fails(capsys, 3, "committed", [*again, f"{NEWS}=0.5", "--site", "app.news.example"])
    (shown,) = json.loads(_output(capsys, [*budget, "--format", "json"]))
    assert (shown["site"], shown["report_collector"]) == (NEWS, NEWS)
    collecting = ["collect", "events.csv", *network, *host, "--fanout", "trigger", "--out"]
    fails(capsys, 2, "site 'news.example', not 'app:com.News.Reader'", [*collecting, "q"])
    write_events([*events, SourceEvent(7, 1, 9, 2, "app:com.News.Reader")])
    capsys.readouterr()
    assert main([*collecting, "q"]) == 0
    assert "trigger fanout query of news.example, " in capsys.readouterr().out
    found = answer(capsys, "--ledger", "ledger", "--epsilon", "0.25")
    assert (found["submitted"], found["dropped"]) == (4, {})
    assert answer(capsys)["sums"] == [0, 0, 15, 0]
    asked = found["query"]
    assert isinstance(asked, dict)
    assert (asked["site"], asked["report_collector"]) == (NEWS, NEWS)
    fails(capsys, 2, "--public-suffixes is for --commit", [*budget, "--public-suffixes"])
    for site in ("x[/y]", "https://a.example"):
        fails(capsys, 2, "a site must be a host", [*again[:-2], "--commit", "a=1", "--site", site])


def _output(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    capsys.readouterr()
    assert main(words) == 0
    return capsys.readouterr().out

"""Events, queries and streams that the commands over reports refuse: one line each, nothing left behind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_cases import NEWS, NOISY, QUERY, answer, collect, fails, two_sites, write_events

import ipa.commands.collect
from ipa.client.fanout_query import read_query_stream, write_query_stream
from ipa.commands.command_line import main
from ipa.events import SourceEvent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


def test_a_query_that_somebody_else_submits_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(4)])
    assert collect("--report-collector", "dsp.example") == 0
    assert Path("q/submitter").read_text() == "dsp.example\n"
    answer(capsys)
    words = ["query", "q", "--keys", "net", *QUERY, "--no-budget"]
    for name, said in (
        ("evil.example\n", "it is submitted by 'evil.example'"),
        (f"{NEWS}\n", "query of report collector 'dsp.example'"),
        ("", "must hold the name of a report collector"),
        ("two words", "must hold the name of a report collector"),
        ("d" * 300, "must hold the name of a report collector"),
    ):
        Path("q/submitter").write_text(name)
        fails(capsys, 2, said, words)
    Path("q/submitter").write_bytes(b"\xff")
    fails(capsys, 2, "must hold the name", words)
    Path("q/submitter").unlink()
    fails(capsys, 2, "q/submitter: cannot be read", words)


def test_bad_events_leave_no_query_behind(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = two_sites(20)
    words = ["collect", "events.csv", "--network", "net/network.json", "--out", "q"]
    words += ["--site", NEWS, "--fanout", "source"]
    fails(capsys, 2, "events.csv: cannot be read", words)
    write_events(events)
    row = next(
        row
        for row, event in enumerate(events, 1)
        if isinstance(event, SourceEvent) and event.site != NEWS
    )
    fails(capsys, 2, f"ipa: events.csv: row {row}: a source report of a source fanout query", words)
    write_events([replace(event, site="") for event in events])
    narrow = [*words, "--breakdown-key-bits", "1"]
    fails(capsys, 2, "breakdown_key: must be an integer from 0 to 1", narrow)
    write_events([replace(events[0], site="news example")])
    fails(capsys, 2, "ipa: events.csv: row 1: site: ", words)
    fails(capsys, 2, "breakdown_key_bits", [*words, "--breakdown-key-bits", "21"])
    fails(capsys, 2, "network.json cannot be read", [*words, "--network", "no/network.json"])
    fails(
        capsys,
        2,
        "net/helper1.key.json: the network configuration must be",
        [*words, "--network", "net/helper1.key.json"],
    )
    fails(capsys, 2, "net exists and is not overwritten", [*words, "--out", "net"])
    fails(capsys, 2, "epoch", [*words, "--epoch", "-1"])
    before = [*words, "--match-key-provider", "login.example", "--epoch", "0"]
    fails(capsys, 2, "--epoch must be at least 1 with --match-key-provider", before)
    fails(capsys, 2, "ipa: --site must be", [*words, "--site", "a b"])
    fails(capsys, 2, "report_collector must be", [*words, "--report-collector", ""])


def test_a_query_of_a_host_is_refused_where_sites_are_registrable_domains(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def registrable_domain(host: str) -> str:
        return ".".join(host.split(".")[-2:])

    monkeypatch.setattr("ipa.commands.options.by_public_suffix_list", lambda: registrable_domain)
    write_events([replace(event, site="") for event in two_sites(4)])
    assert collect(site="www.news.example") == 0
    words = ["query", "q", "--keys", "net", *QUERY, "--no-budget"]
    assert main(words) == 0
    fails(capsys, 2, "registrable domain: news.example", [*words, "--public-suffixes"])


def test_an_interrupted_collect_leaves_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    write_events([replace(event, site="") for event in two_sites(5)])
    monkeypatch.setattr(ipa.commands.collect, "write_streams", interrupt)
    words = ["collect", "events.csv", "--network", "net/network.json", "--out", "q"]
    fails(capsys, 130, "interrupted", [*words, "--site", NEWS, "--fanout", "source"])


def test_wrong_ways_to_query_reports_are_one_line(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    bare = ["query", "q", *QUERY]
    query = [*bare, "--keys", "net"]
    fails(capsys, 2, "q: cannot be read: a directory of reports needs --keys", bare)
    fails(capsys, 2, "--check needs events in the clear", [*query, "--check"])
    fails(capsys, 2, "--ledger needs noise", [*query, "--ledger", "l"])
    for option in ("--query-id", "--board"):
        fails(capsys, 2, f"{option} is for a query charged in a --ledger", [*query, option, "1"])
    fails(capsys, 2, "or says --no-budget", query)
    fails(capsys, 2, "exclude each other", [*query, "--ledger", "l", "--no-budget"])
    paid = ["query", "q", *NOISY, "--keys", "net", "--ledger", "l", "--epsilon"]
    fails(capsys, 2, "no budget ledgers here", [*paid, "1"])
    network = ["--network", "net/network.json"]
    assert main(["budget", "--ledger", "l", "--create", "1", *network]) == 0
    fails(capsys, 2, "at most 6 decimals", [*paid, "1.0000001"])
    fails(capsys, 2, "no_noise contradicts epsilon", [*paid, "1", "--no-noise"])
    free = [*query, "--no-budget"]
    fails(capsys, 2, "value_bits 16, the query asks for 17", [*free, "--value-bits", "17"])
    unnamed = [*paid, "1", "--query-id", ""]
    fails(capsys, 2, "query_id must be", unnamed)
    fails(capsys, 2, "can be compressed to", [*free, "--compress-match-keys", "64"])
    fails(capsys, 2, "helper1.key.json cannot be read", [*bare, "--no-budget", "--keys", "q"])
    no_query = ["query", "net", *QUERY, "--keys", "net", "--no-budget"]
    fails(capsys, 2, "helper1.query: cannot be read", no_query)
    clear = ["query", "events.csv", *QUERY]
    for given in (
        *(["--keys", "net"], ["--ledger", "l"], ["--board", "b"], ["--no-budget"]),
        ["--compress-match-keys", "3"],
        ["--public-suffixes"],
    ):
        fails(capsys, 2, f"{given[0]} is for a directory of reports", [*clear, *given])
    Path("net/helper2.key.json").chmod(0o644)
    fails(capsys, 2, "may be read by others", free)
    Path("net/helper1.key.json").write_text("no keys")
    fails(capsys, 2, "ipa: net/helper1.key.json: the key file must be a JSON object", free)


def swap(directory: Path) -> None:
    first, second = directory / "helper1.query", directory / "helper2.query"
    first.rename(directory / "x")
    second.rename(first)
    (directory / "x").rename(second)


def cut(directory: Path, helper: int = 2) -> None:
    path = directory / f"helper{helper}.query"
    path.write_bytes(path.read_bytes()[:-1])


def cut_the_first(directory: Path) -> None:
    cut(directory, 1)


def lose_a_row(directory: Path) -> None:
    path = directory / "helper3.query"
    stream = read_query_stream(path.read_bytes())
    path.write_bytes(write_query_stream(replace(stream, records=stream.records[1:])))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (swap, "the stream is for helper 2, this is helper 1"),
        (cut, "the stream of helper 2: the query stream ends"),
        (cut_the_first, "the stream of helper 1: the query stream ends"),
        (lose_a_row, "different numbers of reports"),
    ],
)
def test_streams_that_are_not_of_one_query_are_one_line(
    harm: Callable[[Path], None], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    harm(place / "q")
    fails(capsys, 2, said, ["query", "q", "--keys", "net", *QUERY, "--no-budget"])

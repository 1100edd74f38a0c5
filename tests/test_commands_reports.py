"""From events to reports and back on the command line: keygen, collect, query, budget."""

import json
import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import ipa.commands.collect
from ipa import generate_events, write_events_csv
from ipa.client.fanout_query import read_query_stream, write_query_stream
from ipa.command_line import main
from ipa.events import Event, SourceEvent
from ipa.oracle_sql import query_sql
from ipa.parameters import QueryParameters

NEWS, SHOP = "news.example", "shop.example"
PARAMETERS = QueryParameters(breakdowns=4, cap=60)
QUERY = ["--breakdowns", "4", "--cap", "60", "--security", "semi-honest", "--no-noise"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


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
    capsys.readouterr()
    assert main(["query", out, "--keys", "net", *QUERY, "--format", "json", *words]) == 0
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


@pytest.mark.parametrize(("site", "fanout"), [(NEWS, "source"), (SHOP, "trigger")])
@pytest.mark.parametrize("words", [[], ["--match-key-provider", "login.example"]])
def test_the_answer_over_reports_is_the_oracle_s(
    site: str, fanout: str, words: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [
        event
        for event in two_sites()
        if event.site == site or isinstance(event, SourceEvent) == (fanout == "trigger")
    ]
    write_events(events)
    assert collect(*words, site=site, fanout=fanout) == 0
    assert f"{len(events)} reports for {fanout} fanout query of {site}" in capsys.readouterr().out
    result = answer(capsys)
    assert result["sums"] == query_sql(events, PARAMETERS)
    assert (result["rows"], result["submitted"], result["dropped"]) == (
        len(events),
        len(events),
        {},
    )
    assert result["query"] == {
        "network": "helpers.example",
        "match_key_provider": words[1] if words else "on-device",
        "report_collector": site,
        "site": site,
        "epoch": 1,
        "fanout": fanout,
    }


def test_options_of_collect_reach_the_streams(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "--out", "other", "--identity", "o", "--match-key-bits", "70"]) == 0
    write_events(two_sites(8))
    words = ["--epoch", "9", "--form", "per-field", "--report-collector", "r.example"]
    words += ["--timestamp-bits", "40", "--value-bits", "20", "--breakdown-key-bits", "3"]
    words += ["--attribution-constraint-id-bits", "7", "--network", "other/network.json"]
    assert collect(*words, site="x.example", fanout="trigger", out="o") == 2  # not its triggers
    events = [replace(event, site="") for event in two_sites(8)]
    write_events(events)
    assert collect(*words, site="x.example", fanout="trigger", out="o") == 0
    query = read_query_stream(Path("o/helper3.query").read_bytes()).query
    assert vars(query.context) == {
        "network": "o",
        "match_key_provider": "on-device",
        "report_collector": "r.example",
        "site": "x.example",
        "epoch": 9,
    }
    assert (query.fanout, query.form, query.match_key_bits) == ("trigger", "per-field", 70)
    assert vars(query.widths) == {
        "attribution_constraint_id_bits": 7,
        "timestamp_bits": 40,
        "breakdown_key_bits": 3,
        "value_bits": 20,
    }
    capsys.readouterr()
    options = ["--match-key-bits", "70", "--timestamp-bits", "40", "--value-bits", "20"]
    options += ["--attribution-constraint-id-bits", "7", "--keys", "other", "--format", "json"]
    assert main(["query", "o", *QUERY, *options]) == 0
    assert json.loads(capsys.readouterr().out)["sums"] == query_sql(events, PARAMETERS)


def test_the_post_quantum_kem(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", "--out", "pq", "--kem", "MLKEM768-X25519"]) == 0
    events = [replace(event, site="") for event in two_sites(6)]
    write_events(events)
    assert collect("--network", "pq/network.json") == 0
    assert answer(capsys, "--keys", "pq")["sums"] == query_sql(events, PARAMETERS)


def test_keygen_keeps_private_keys_private_and_never_overwrites(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (place / "net").iterdir()}
    assert modes == {"network.json": 0o644} | {f"helper{i}.key.json": 0o600 for i in (1, 2, 3)}
    fails(capsys, 2, "net exists and is not overwritten", ["keygen", "--out", "net"])
    (place / "empty").mkdir()
    assert main(["keygen", "--out", "empty"]) == 0
    fails(capsys, 2, "cannot be written", ["keygen", "--out", "no/such/net"])
    fails(capsys, 2, "identity", ["keygen", "--out", "n", "--identity", "a b"])
    fails(capsys, 2, "match_key_bits", ["keygen", "--out", "n", "--match-key-bits", "0"])
    fails(capsys, 2, "invalid choice", ["keygen", "--out", "n", "--kem", "RSA"])


def test_a_query_is_paid_from_the_ledger_until_it_is_empty(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(10)])
    assert collect() == 0
    network = ["--network", "net/network.json"]
    assert main(["budget", "--ledger", "l", "--create", "2", *network]) == 0
    words = ["--site", NEWS, "--commit", f"{NEWS}=0.5", "--commit", "b=c=1.5"]
    assert main(["budget", "--ledger", "l", *network, *words]) == 0
    result = answer(capsys, "--ledger", "l", "--epsilon", "0.3", "--query-id", "first")
    assert result["budget"] == {"query_id": "first", "epsilon": "0.3", "remaining": "0.2"}
    asked = ["query", "q", "--keys", "net", *QUERY, "--ledger", "l", "--epsilon"]
    fails(capsys, 3, "has 0.2 of 0.5 remaining", [*asked, "0.3"])
    fails(capsys, 3, "first was charged already", [*asked, "0.1", "--query-id", "first"])
    assert main([*asked, "0.2"]) == 0
    assert "epsilon 0.2 charged, 0 remaining" in capsys.readouterr().out
    assert main(["budget", "--ledger", "l", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"epoch": 1, "site": NEWS, "report_collector": "b=c"}
        | {"granted": "1.5", "spent": "0", "remaining": "1.5"},
        {"epoch": 1, "site": NEWS, "report_collector": NEWS}
        | {"granted": "0.5", "spent": "0.5", "remaining": "0"},
    ]
    assert main(["budget", "--ledger", "l"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "epoch",
        "site",
        "report",
        "collector",
        "granted",
        "spent",
        "remaining",
    ]
    assert lines[2].split() == ["1", NEWS, NEWS, "0.5", "0.5", "0"]
    assert main(["budget", "--ledger", "l", "--queries"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["epsilon"] for record in records] == ["0.3", "0.2"]
    assert records[0]["query_id"] == "first"
    assert records[1]["rows"] == 10


def test_dropped_reports_and_compression_are_shown(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [replace(event, site="") for event in two_sites(10)]
    write_events(events)
    assert collect() == 0
    path = Path("q/helper2.query")
    stream = read_query_stream(path.read_bytes())
    records = (b"", *stream.records[1:9], stream.records[9][:-1] + b"\0")
    path.write_bytes(write_query_stream(replace(stream, records=records)))
    result = answer(capsys, "--compress-match-keys", "40")
    assert result["sums"] == query_sql(events[1:9], PARAMETERS)
    assert result["dropped"] == {"malformed": 1, "cannot be decrypted": 1}
    assert result["compression"] == {
        "match_key_bits": 40,
        "collision_probability_at_most": 28 / 2**40,
    }
    words = ["--compress-match-keys", "40", "--seed", "1"]
    assert main(["query", "q", "--keys", "net", *QUERY, *words]) == 0
    output = capsys.readouterr().out
    assert "10 reports submitted, 2 dropped: 1 malformed, 1 cannot be decrypted\n" in output
    assert "compressed to 40 bits" in output
    assert "probability at most 2.5e-11" in output
    assert f"source fanout query of {NEWS} for {NEWS}, epoch 1" in output


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
    fails(capsys, 2, f"row {row}: a source report of a source fanout query", words)
    write_events([replace(event, site="") for event in events])
    narrow = [*words, "--breakdown-key-bits", "1"]
    fails(capsys, 2, "breakdown_key: must be an integer from 0 to 1", narrow)
    write_events([replace(events[0], site="news example")])
    fails(capsys, 2, "row 1: site: ", words)
    fails(capsys, 2, "breakdown_key_bits", [*words, "--breakdown-key-bits", "21"])
    fails(capsys, 2, "network.json cannot be read", [*words, "--network", "no/network.json"])
    fails(capsys, 2, "JSON object with format", [*words, "--network", "net/helper1.key.json"])
    fails(capsys, 2, "net exists and is not overwritten", [*words, "--out", "net"])
    fails(capsys, 2, "epoch", [*words, "--epoch", "-1"])
    fails(capsys, 2, "ipa: --site must be", [*words, "--site", "a b"])
    fails(capsys, 2, "report_collector must be", [*words, "--report-collector", ""])


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
    fails(capsys, 2, "--ledger needs --epsilon", [*query, "--ledger", "l"])
    fails(capsys, 2, "are for a query charged in a --ledger", [*query, "--epsilon", "1"])
    fails(capsys, 2, "are for a query charged in a --ledger", [*query, "--query-id", "1"])
    fails(capsys, 2, "no budget ledger here", [*query, "--ledger", "l", "--epsilon", "1"])
    fails(capsys, 2, "plain decimal", [*query, "--ledger", "l", "--epsilon", "1e-3"])
    fails(capsys, 2, "value_bits 16, the query asks for 17", [*query, "--value-bits", "17"])
    fails(capsys, 2, "can be compressed to", [*query, "--compress-match-keys", "64"])
    fails(capsys, 2, "helper1.key.json cannot be read", [*bare, "--keys", "q"])
    fails(capsys, 2, "helper1.query: cannot be read", ["query", "net", *QUERY, "--keys", "net"])
    clear = ["query", "events.csv", *QUERY]
    for option in (["--keys", "net"], ["--ledger", "l"], ["--compress-match-keys", "3"]):
        fails(capsys, 2, f"{option[0]} is for a directory of reports", [*clear, *option])
    Path("net/helper2.key.json").chmod(0o644)
    fails(capsys, 2, "may be read by others", query)


def swap(directory: Path) -> None:
    first, second = directory / "helper1.query", directory / "helper2.query"
    first.rename(directory / "x")
    second.rename(first)
    (directory / "x").rename(second)


def cut(directory: Path) -> None:
    path = directory / "helper2.query"
    path.write_bytes(path.read_bytes()[:-1])


def lose_a_row(directory: Path) -> None:
    path = directory / "helper3.query"
    stream = read_query_stream(path.read_bytes())
    path.write_bytes(write_query_stream(replace(stream, records=stream.records[1:])))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (swap, "the stream is for helper 2, this is helper 1"),
        (cut, "the stream of helper 2: the query stream ends"),
        (lose_a_row, "different numbers of reports"),
    ],
)
def test_streams_that_are_not_of_one_query_are_one_line(
    harm: Callable[[Path], None], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    harm(place / "q")
    fails(capsys, 2, said, ["query", "q", "--keys", "net", *QUERY])


def test_wrong_ways_to_handle_a_budget_are_one_line(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--network", "net/network.json"]
    budget = ["budget", "--ledger", "l"]
    fails(capsys, 2, "no budget ledger here", budget)
    fails(capsys, 2, "need --network", [*budget, "--create", "1"])
    fails(capsys, 2, "need --network", [*budget, "--commit", "a=1"])
    fails(capsys, 2, "needs --site", [*budget, "--commit", "a=1", *network])
    both = [*budget, "--create", "1", *network, "--site", NEWS, "--commit"]
    fails(capsys, 2, "COLLECTOR=EPSILON", [*both, "a"])
    fails(capsys, 2, "plain decimal", [*both, "a=-1"])
    fails(capsys, 2, "plain decimal", [*budget, "--create", "x", *network])
    assert main([*both, "a=1"]) == 0
    again = [*budget, *network, "--site", NEWS, "--commit"]
    assert main([*again, "a=1"]) == 0
    fails(capsys, 3, "cannot change that", [*again, "a=0.5"])
    fails(capsys, 3, "more than its budget of 1", [*again, "a=1.5", "--epoch", "2"])
    fails(capsys, 3, "another network or site budget", [*budget, "--create", "2", *network])
    Path("l").write_text("no ledger")
    fails(capsys, 2, "not a budget ledger", budget)

"""From events to reports and back on the command line: keygen, collect, query."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from command_cases import (
    NEWS,
    PARAMETERS,
    QUERY,
    SHOP,
    answer,
    collect,
    fails,
    two_sites,
    write_events,
)

from ipa.client.fanout_query import read_query_stream, write_query_stream
from ipa.commands.command_line import main
from ipa.events import SourceEvent
from ipa.oracle.sql import query_sql


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


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
        "network_name": "helpers.example",
        "match_key_provider": words[1] if words else "on-device",
        "report_collector": site,
        "on_behalf_of": site,
        "site": site,
        "epoch": 1,
        "fanout": fanout,
    }


def test_options_of_collect_reach_the_streams(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "--out", "other", "--name", "o", "--match-key-bits", "70"]) == 0
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
        "network_name": "o",
        "match_key_provider": "on-device",
        "report_collector": "r.example",
        "on_behalf_of": "x.example",
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
    options += [
        "--attribution-constraint-id-bits",
        "7",
        "--keys",
        "other",
        "--format",
        "json",
        "--no-budget",
    ]
    assert main(["query", "o", *QUERY, *options]) == 0
    assert json.loads(capsys.readouterr().out)["sums"] == query_sql(events, PARAMETERS)


def test_the_post_quantum_kem(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", "--out", "pq", "--kem", "MLKEM768-X25519"]) == 0
    events = [replace(event, site="") for event in two_sites(6)]
    write_events(events)
    assert collect("--network", "pq/network.json") == 0
    assert answer(capsys, "--keys", "pq")["sums"] == query_sql(events, PARAMETERS)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_two_shares_from_keygen_to_the_answer(
    security: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "--out", "two", "--sharing", "two-party"]) == 0
    events = [replace(event, site="") for event in two_sites(20)]
    write_events(events)
    assert collect("--network", "two/network.json", out="two-shares") == 0
    assert collect(out="three-shares") == 0
    sizes = {
        name: sum(path.stat().st_size for path in Path(name).glob("*.query"))
        for name in ("two-shares", "three-shares")
    }
    assert sizes["two-shares"] < sizes["three-shares"] * 2 / 3
    words = ["--keys", "two", "--security", security]
    assert answer(capsys, *words, out="two-shares")["sums"] == query_sql(events, PARAMETERS)
    for name, keys in (("two-shares", "net"), ("three-shares", "two")):
        asked = ["query", name, "--keys", keys, *QUERY, "--no-budget"]
        fails(capsys, 2, "does not have", asked)


def test_events_without_attribution_constraints_are_collected(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["report,match_key,timestamp,breakdown_key,trigger_value"]
    rows += ["source,7,10,3,", "trigger,7,20,,25"]
    Path("events.csv").write_text("\n".join(rows))
    assert collect() == 0
    assert answer(capsys)["sums"] == [0, 0, 0, 25]


def test_keygen_keeps_private_keys_private_and_never_overwrites(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (place / "net").iterdir()}
    assert modes == {"network.json": 0o644} | {f"helper{i}.key.json": 0o600 for i in (1, 2, 3)}
    fails(capsys, 2, "net exists and is not overwritten", ["keygen", "--out", "net"])
    (place / "empty").mkdir()
    assert main(["keygen", "--out", "empty"]) == 0
    fails(capsys, 2, "cannot be written", ["keygen", "--out", "no/such/net"])
    fails(capsys, 2, "name", ["keygen", "--out", "n", "--name", "a b"])
    fails(capsys, 2, "match_key_bits", ["keygen", "--out", "n", "--match-key-bits", "0"])
    fails(capsys, 2, "invalid choice", ["keygen", "--out", "n", "--kem", "RSA"])


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_directory_keeps_to_the_umask(place: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert main(["keygen", "--out", "n"]) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("n").stat().st_mode) == 0o777 & ~mask


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
    words = ["--compress-match-keys", "40", "--seed", "1", "--no-budget"]
    assert main(["query", "q", "--keys", "net", *QUERY, *words]) == 0
    output = capsys.readouterr().out
    assert "10 reports submitted, 2 dropped: 1 malformed, 1 cannot be decrypted\n" in output
    assert "compressed to 40 bits" in output
    assert "no budget was charged: nothing bounds what such queries reveal" in output
    assert result["budget"] is None
    assert "probability at most 2.5e-11" in output
    assert f"source fanout query of {NEWS} for {NEWS}, epoch 1" in output

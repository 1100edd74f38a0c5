"""`ipa query --apart`: the same answer and the same endings, by a process for each helper."""

import json
from pathlib import Path

import pytest
from command_cases import NEWS, QUERY, answer, collect, fails, two_sites, write_events

from ipa.commands.command_line import main
from ipa.network import apart


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_events(two_sites())


@pytest.mark.parametrize("words", [["--apart"], ["--apart", "--tls"]])
def test_events_get_the_answer_of_one_process(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, over_tls, shown = apart.run_apart, [], []

    def watched(what: apart.Run, *, tls: bool) -> object:
        over_tls.append(tls)
        return run(what, tls=tls)

    monkeypatch.setattr(apart, "run_apart", watched)
    for more in ([], words):
        asked = ["query", "events.csv", *QUERY, "--seed", "1", "--check", "--format", "json"]
        assert main([*asked, *more]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0]["sums"] == shown[1]["sums"] and any(shown[0]["sums"])
    assert over_tls == ["--tls" in words]


def test_reports_do_too_and_a_broken_stream_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keygen", "--out", "net"]) == 0
    write_events([event for event in two_sites() if event.site == NEWS])
    assert collect() == 0
    assert answer(capsys)["sums"] == answer(capsys, "--apart")["sums"]
    stream = sorted(Path("q").glob("*2*"))[0]
    stream.write_bytes(b"no stream")
    words = ["query", "q", "--keys", "net", *QUERY, "--no-budget", "--apart"]
    fails(capsys, 2, "ipa: the stream of helper 2: ", words)


def test_tls_is_for_helpers_apart(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["query", "events.csv", *QUERY, "--tls"]
    fails(capsys, 2, "ipa: --tls is for helper parties apart: it needs --apart", words)

"""`ipa measure` and `ipa report`, through `main` in this process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipa.commands.command_line import main
from ipa.halo.impressions import Impression, Selection, select, write_impressions_csv
from ipa.halo.oracle import audience, frequency_histogram, reach
from ipa.halo.workload import generate_impressions

WORKLOAD = generate_impressions(300, persons=80, publishers=3, days=10, seed=4)
EXACT = ["--no-noise", "--group", "clear", "--format", "json"]
PROTOCOLS = ["hmss", "hmss-malicious", "llv2", "reach-only-llv2"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return write(tmp_path, WORKLOAD)


def write(folder: Path, impressions: list[Impression]) -> str:
    file = folder / "impressions.csv"
    with file.open("w", encoding="utf-8") as stream:
        write_impressions_csv(impressions, stream)
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(list(words)) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_json_is_the_oracle_s(protocol: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["measure", path, "--protocol", protocol, "--max-frequency", "4", *EXACT]
    answer = said(capsys, *words, "--seed", "1")
    assert list(answer) == ["reach", "frequency", "protocol", "publishers", "epsilon", "cost"]
    assert answer["reach"] == reach(WORKLOAD)
    expected = None if protocol == "reach-only-llv2" else frequency_histogram(WORKLOAD, 4)
    assert answer["frequency"] == expected
    assert answer["protocol"] == protocol and answer["epsilon"] is None
    assert answer["publishers"] == ["publisher-1", "publisher-2", "publisher-3"]
    assert list(answer["cost"]) == ["rounds", "bytes_sent", "seconds"]
    assert all(value > 0 for value in answer["cost"].values())


@pytest.mark.parametrize(
    ("words", "selection"),
    [
        (["--campaign", "campaign-2"], Selection(campaigns=frozenset(["campaign-2"]))),
        (["--publisher", "publisher-1"], Selection(publishers=frozenset(["publisher-1"]))),
        (
            ["--publisher", "publisher-1", "--publisher", "publisher-3"],
            Selection(publishers=frozenset(["publisher-1", "publisher-3"])),
        ),
        (["--medium", "tv", "--days", "2-7"], Selection(media=frozenset(["tv"]), days=(2, 7))),
        (["--days", "3-3"], Selection(days=(3, 3))),
    ],
)
def test_the_filters(
    words: list[str], selection: Selection, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = said(
        capsys, "measure", path, "--protocol", "hmss", "--max-frequency", "2", *words, *EXACT
    )
    assert answer["frequency"] == frequency_histogram(WORKLOAD, 2, [selection])
    if selection.publishers:
        assert answer["publishers"] == sorted(selection.publishers)


def test_direct_takes_one_publisher(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["measure", path, "--protocol", "direct", "--max-frequency", "2", *EXACT]
    fails(capsys, "direct is for one data provider, not 3", words)
    answer = said(capsys, *words, "--publisher", "publisher-2")
    one = Selection(publishers=frozenset(["publisher-2"]))
    assert answer["frequency"] == frequency_histogram(WORKLOAD, 2, [one])


def test_noise_and_seed(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["measure", path, "--protocol", "hmss", "--max-frequency", "3", "--epsilon", "0.50"]
    first, again, other = (
        said(capsys, *words, "--format", "json", "--seed", seed) for seed in ("1", "1", "2")
    )
    assert first["frequency"] == again["frequency"] != other["frequency"]
    assert first["epsilon"] == "0.5"


def test_the_reach_alone(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "measure", path, "--protocol", "hmss", *EXACT)
    assert (answer["reach"], answer["frequency"]) == (reach(WORKLOAD), None)
    assert main(["measure", path, "--protocol", "hmss", "--no-noise"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"reach {reach(WORKLOAD)}, 3 publishers, protocol: hmss, no noise\n")


def test_the_table(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["measure", path, "--protocol", "hmss", "--max-frequency", "3", "--epsilon", "1"]
    assert main([*words, "--seed", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["frequency", "persons"]
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert "3 or more" in lines[3]
    assert lines[5].startswith("reach ") and lines[5].endswith("protocol: hmss, epsilon 1")
    assert lines[7].split() == ["step", "rounds", "bytes", "sent", "seconds"]
    assert [line.split()[0] for line in lines[8:]] == ["hmss/seeds", "hmss/shuffled", "total"]


def test_standard_input(path: str) -> None:
    command = [sys.executable, "-m", "ipa", "measure", "-", "--protocol", "hmss"]
    command += ["--max-frequency", "2", *EXACT]
    with Path(path).open() as stream:
        done = subprocess.run(command, stdin=stream, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["reach"] == reach(WORKLOAD)


def test_sketch_registers_limit_what_can_be_estimated(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["measure", path, "--protocol", "reach-only-llv2", *EXACT, "--sketch-registers"]
    # One in 300,000 runs has two of 80 persons in one register of a thousand million.
    assert said(capsys, *words, "1000000000")["reach"] == reach(WORKLOAD)
    fails(capsys, "take more registers", [*words, "1"])
    fails(
        capsys,
        "registers of a sketch must be an integer from 1 to 4294967296, not 0",
        [*words, "0"],
    )


def fails(capsys: pytest.CaptureFixture[str], message: str, words: list[str]) -> None:
    capsys.readouterr()
    try:
        status = main(words)
    except SystemExit as exit:
        status = int(str(exit.code))
    output = capsys.readouterr()
    assert (status, output.out) == (2, "")
    assert message in output.err and output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--protocol", "psi", "--no-noise"], "invalid choice: 'psi'"),
        (["--no-noise"], "required: --protocol"),
        (["--protocol", "hmss"], "--epsilon --no-noise is required"),
        (["--protocol", "hmss", "--no-noise", "--epsilon", "1"], "not allowed with"),
        (["--protocol", "hmss", "--epsilon", "-1"], "epsilon"),
        (["--protocol", "hmss", "--epsilon", "0"], "epsilon must be above 0"),
        (["--protocol", "hmss", "--epsilon", "x"], "epsilon must be a plain decimal"),
        (["--protocol", "hmss", "--epsilon", "2000"], "epsilon must be from 1/1000000000 to 1000"),
        (["--protocol", "hmss", "--no-noise", "--days", "3"], "--days must be two days"),
        (["--protocol", "hmss", "--no-noise", "--days", "5-3"], "days must run from a first"),
        (["--protocol", "hmss", "--no-noise", "--max-frequency", "0"], "max_frequency must be"),
        (["--protocol", "llv2", "--no-noise"], "llv2 measures frequencies"),
        (["--protocol", "hmss", "--no-noise", "--seed", "-1"], "seed"),
        (["--protocol", "hmss", "--no-noise", "--group", "p384"], "invalid choice"),
    ],
)
def test_wrong_options_are_one_line_and_status_2(
    words: list[str], message: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(capsys, message, ["measure", path, *words])


def test_wrong_input_names_row_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("person,publisher,campaign,medium,day\n1,a,b,c,1\n1,a,b,c,x\n")
    words = [str(file), "--protocol", "hmss", "--no-noise"]
    for command in ("measure", "report"):
        fails(capsys, f"ipa: {file}: row 2: day: must be a decimal integer", [command, *words])
    fails(capsys, "cannot be read", ["measure", "missing.csv", *words[1:]])


def test_an_empty_file_has_a_reach_of_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, [])
    for protocol in [*PROTOCOLS, "direct"]:
        words = ["measure", path, "--protocol", protocol, "--max-frequency", "2", *EXACT]
        assert said(capsys, *words)["reach"] == 0
    fails(capsys, "no impression is selected", ["report", path, "--protocol", "hmss", "--no-noise"])


# Reports.


def test_a_report_by_default_has_every_set_and_their_union(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = said(capsys, "report", path, "--protocol", "hmss", *EXACT)
    assert list(answer) == ["rows", "corrections", "measurements", "epsilon"]
    names = [f"publisher-{number}" for number in (1, 2, 3)]
    sizes = [reach(WORKLOAD, [Selection(publishers=frozenset([name]))]) for name in names]
    assert [row["reach"] for row in answer["rows"]] == [*sizes, reach(WORKLOAD)]
    assert answer["rows"][0]["set"] == '"publisher-1"'
    assert answer["corrections"] == [] and answer["measurements"] == 4


@pytest.mark.parametrize("protocol", ["hmss", "reach-only-llv2"])
def test_expressions_periods_and_filters(
    protocol: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", path, "--protocol", protocol, "--by", "medium", "--set", "tv & video"]
    words += ["--set", "display - tv", "--campaign", "campaign-1", *EXACT]
    words += ["--sketch-registers", "1000000000"]
    campaign = select(WORKLOAD, [Selection(campaigns=frozenset(["campaign-1"]))])
    for periods, expected in (
        ("cumulative:4", [(0, 3), (0, 7), (0, 9)]),
        ("trailing:5", [(0, 4), (5, 9)]),
        ("whole", [(0, 9)]),
    ):
        answer = said(capsys, *words, "--periods", periods, "--days", "0-9")
        rows = iter(answer["rows"])
        for days in expected:
            sets = {
                medium: audience(campaign, [Selection(media=frozenset([medium]), days=days)])
                for medium in ("tv", "video", "display")
            }
            for size in (len(sets["tv"] & sets["video"]), len(sets["display"] - sets["tv"])):
                row = next(rows)
                assert (row["days"], row["reach"]) == (list(days), size)
        assert next(rows, None) is None


def test_measurements_of_a_seeded_report_have_noise_of_their_own(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", path, "--protocol", "direct", "--publisher", "publisher-1"]
    words += ["--by", "publisher", "--epsilon", "0.1", "--seed", "3", "--format", "json"]
    answer = said(capsys, *words, "--periods", "cumulative:1")
    exact = said(capsys, *words[:-6], *EXACT, "--periods", "cumulative:1")
    errors = {
        row["measured"] - true["reach"]
        for row, true in zip(answer["rows"], exact["rows"], strict=True)
    }
    assert len(errors) > 3
    assert answer["corrections"] and answer["epsilon"] == "0.1"
    assert answer == said(capsys, *words, "--periods", "cumulative:1")


def test_the_table_of_a_report(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["report", path, "--protocol", "hmss", "--by", "medium", "--set", "tv | video"]
    assert main([*words, "--no-noise"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["days", "set", "measured", "reach"]
    assert lines[1].split()[:4] == ["0-9", "tv", "|", "video"]
    assert lines[3:] == ["corrections: none was needed", "1 measurements, no noise each"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--protocol", "llv2", "--no-noise"], "take protocol reach-only-llv2"),
        (["--protocol", "hmss", "--no-noise", "--periods", "daily"], "--periods must be whole"),
        (["--protocol", "hmss", "--no-noise", "--periods", "trailing:0"], "--periods must be"),
        (["--protocol", "hmss", "--no-noise", "--set", "a |"], "set expression"),
        (["--protocol", "hmss", "--no-noise", "--set", "radio"], "there is no set 'radio'"),
        (["--protocol", "hmss", "--no-noise", "--by", "day"], "invalid choice"),
    ],
)
def test_wrong_reports(
    words: list[str], message: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(capsys, message, ["report", path, *words])


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    shown = capsys.readouterr().out
    selection = ["--campaign", "--publisher", "--medium", "--days"]
    noise = ["--max-frequency", "--epsilon", "--no-noise"]
    running = ["--sketch-registers", "--group", "--format", "--seed"]
    for option in ["--protocol", *selection, *noise, *running]:
        assert option in shown
    assert shown.startswith("usage: ipa measure")

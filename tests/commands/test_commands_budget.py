"""Queries that are paid from budgets on the command line."""

import csv
import io
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command_cases import NEWS, NOISY, answer, collect, fails, two_sites, write_events

import ipa.report_answer
from ipa.budget.epochs import WEEK
from ipa.commands.command_line import main
from ipa.errors import VerificationError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with a network in `net`, to work in."""
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    return tmp_path


def pair(epsilon: str, delta: str) -> dict[str, str]:
    return {"epsilon": epsilon, "delta": delta}


def pay_two_queries(capsys: pytest.CaptureFixture[str]) -> None:
    """A budget of 0.5: a query of 0.3, named first, then one of all that is left."""
    write_events([replace(event, site="") for event in two_sites(10)])
    assert collect() == 0
    network = ["--network", "net/network.json"]
    assert main(["budget", "--ledger", "l", "--create", "2", *network]) == 0
    words = ["--site", NEWS, "--commit", f"{NEWS}=0.5", "--commit", "b=c=1.5"]
    assert main(["budget", "--ledger", "l", *network, *words]) == 0
    result = answer(capsys, "--ledger", "l", "--epsilon", "0.3", "--query-id", "first")
    assert result["budget"] == {
        "query_id": "first",
        "epsilon": "0.3",
        "delta": "1e-9",
        "remaining": {"epsilon": "0.2", "delta": "9.9e-8"},
    }
    asked = ["query", "q", "--keys", "net", *NOISY, "--ledger", "l", "--epsilon"]
    fails(capsys, 3, "has 0.2 of 0.5 remaining", [*asked, "0.3"])
    fails(capsys, 3, "first was charged already", [*asked, "0.1", "--query-id", "first"])
    assert main([*asked, "0.2"]) == 0
    assert "epsilon 0.2 charged, 0 remaining" in capsys.readouterr().out


def test_a_query_is_paid_from_the_ledger_until_it_is_empty(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pay_two_queries(capsys)
    assert main(["budget", "--ledger", "l", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    begun = {one.pop("closes")[:4] for one in shown}
    assert begun == {time.strftime("%Y", time.gmtime(time.time() + 2 * WEEK))}
    assert shown == [
        {"epoch": 1, "site": NEWS, "report_collector": "b=c"}
        | {"granted": pair("1.5", "1e-7"), "spent": pair("0", "0")}
        | {"remaining": pair("1.5", "1e-7")},
        {"epoch": 1, "site": NEWS, "report_collector": NEWS}
        | {"granted": pair("0.5", "1e-7"), "spent": pair("0.5", "2e-9")}
        | {"remaining": pair("0", "9.8e-8")},
    ]
    assert main(["budget", "--ledger", "l"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "epoch",
        "closes",
        "site",
        "report",
        "collector",
        "granted",
        "spent",
        "remaining",
    ]
    assert lines[2].split()[2:] == [NEWS, NEWS, "0.5,1e-7", "0.5,2e-9", "0,9.8e-8"]


def test_what_was_paid_is_listed_and_found_by_its_id(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pay_two_queries(capsys)
    assert main(["budget", "--ledger", "l", "--queries"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["epsilon"] for record in records] == ["0.3", "0.2"]
    assert [(record["delta"], record["mechanism"]) for record in records] == [
        ("1e-9", "laplace")
    ] * 2
    assert records[0]["query_id"] == "first"
    assert (records[1]["rows"], records[1]["rows_used"]) == (10, 10)
    assert main(["budget", "--ledger", "l", "--queries", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["query_id"] for row in table] == [record["query_id"] for record in records]
    assert main(["budget", "--ledger", "l", "--query-id", "first"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == records[0] | {
        "number": 1,
        "remaining": {"epsilon": "0.2", "delta": "9.9e-8"},
    }


def test_the_query_s_id_is_said_when_it_is_charged_and_the_run_aborts(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    words = ["--network", "net/network.json", "--site", NEWS, "--commit", f"{NEWS}=1"]
    assert main(["budget", "--ledger", "l", "--create", "1", *words]) == 0

    def abort(*_: object) -> None:
        raise VerificationError("query", "a lie", [1])

    monkeypatch.setattr(ipa.report_answer, "take_in_reports", abort)
    capsys.readouterr()
    assert main(["query", "q", "--keys", "net", *NOISY, "--ledger", "l", "--epsilon", "1"]) == 3
    charged, aborted = capsys.readouterr().err.splitlines()
    query_id = charged.removeprefix("ipa query: charged ")
    assert aborted == "ipa: query: a lie (noticed by H1)"
    assert main(["budget", "--ledger", "l", "--query-id", query_id]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["query_id"], found["rows_used"]) == (query_id, None)  # it came to no end


def test_a_charge_that_one_ledger_lacks_is_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events([replace(event, site="") for event in two_sites(5)])
    assert collect() == 0
    words = ["--network", "net/network.json", "--site", NEWS, "--commit", f"{NEWS}=1"]
    assert main(["budget", "--ledger", "l", "--create", "1", *words]) == 0
    before = Path("l/helper2.ledger").read_bytes()
    answer(capsys, "--ledger", "l", "--epsilon", "0.3", "--query-id", "first")
    Path("l/helper2.ledger").write_bytes(before)
    assert main(["budget", "--ledger", "l", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == (
        "ipa budget: query first is charged in some ledgers only; the next query to its budget "
        "settles that\n"
    )
    assert json.loads(shown.out)[0]["remaining"]["epsilon"] == "0.7"
    answer(capsys, "--ledger", "l", "--epsilon", "0.3", "--query-id", "second")
    assert main(["budget", "--ledger", "l", "--queries"]) == 0
    shown = capsys.readouterr()
    assert (shown.err, shown.out.count("\n")) == ("", 2)

"""`ipa submit` against three small services: what it shows, says and refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answer_cases import Answered, asked_of, exact, paid
from command_cases import fails
from fake_services import FakeNetwork, fake_network
from intake_cases import HOME, answer, world

import ipa.service.watching
from ipa.client.key_files import save_configuration
from ipa.commands.command_line import main
from ipa.commands.directories import write_streams
from ipa.network.identities import save_identity
from ipa.service.refusal import Refusal

WIDTHS = ["--match-key-bits", "12", "--attribution-constraint-id-bits", "3"]
WIDTHS += ["--timestamp-bits", "10", "--value-bits", "7"]
ASKED = ["--breakdowns", "4", "--cap", "60", "--security", "semi-honest", *WIDTHS]
SUBMIT = ["submit", "q", "--network", "net/network.json", *ASKED]
EXACT = [*SUBMIT, "--no-noise", "--query-id", "query-1"]
PAID = [*SUBMIT, "--epsilon", "0.25", "--query-id", "query-2", "--compress-match-keys", "11"]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeNetwork]:
    with fake_network(world().network, HOME.report_collector) as network:
        yield network


@pytest.fixture
def network(running: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """Services, and a directory with what a report collector has to ask them."""
    monkeypatch.setattr(ipa.service.watching, "FIRST_PAUSE", 0.005)
    monkeypatch.chdir(tmp_path)
    running.start_over()
    for name in ("net", "q"):
        Path(name).mkdir()
    save_configuration(Path("net/network.json"), running.configuration)
    for name, identity in running.identities.items():
        save_identity(Path("net", name), identity)
    write_streams(Path("q"), world().streams, HOME.report_collector)
    answer_with(running, exact())
    return running


def answer_with(network: FakeNetwork, answered: Answered) -> None:
    for helper, service in network.services.items():
        service.answers(answered.asked.query_id, answered.answers[helper])


def test_the_table_is_that_of_ipa_query_without_costs(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(EXACT) == 0
    shown = capsys.readouterr()
    assert shown.err == "ipa submit: query query-1\n"
    sums = answer(world()).result.sums
    lines = shown.out.splitlines()
    assert [line.split()[:2] for line in lines if line.strip()[:1].isdigit()][: len(sums)] == [
        [str(key), str(total)] for key, total in enumerate(sums)
    ]
    assert "8 reports, 4 breakdown keys, cap 60 (proportional), security: semi-honest" in lines
    assert "8 reports submitted, 0 dropped" in lines
    assert "no budget was charged: nothing bounds what such queries reveal together" in lines
    assert "AND gates" not in shown.out and "\n\n\n" not in shown.out


def test_json_and_what_is_charged(network: FakeNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    answer_with(network, paid())
    assert main([*PAID, "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "ipa submit: query query-2\nipa submit: charged query-2\n"
    document = json.loads(shown.out)
    assert document["cost"] is None
    assert document["noise"]["epsilon"] == 0.25
    assert document["budget"]["query_id"] == "query-2"
    assert document["compression"]["match_key_bits"] == 11
    assert len(document["sums"]) == 4


def test_a_query_without_an_id_gets_a_random_one_and_says_it(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    network.services[1].aborts("it is over")
    assert main([*SUBMIT, "--no-noise"]) == 3
    said, ended = capsys.readouterr().err.splitlines()
    query_id = said.removeprefix("ipa submit: query ")
    assert query_id.startswith("query-") and len(query_id) == 22
    assert ended.startswith(f"ipa: query {query_id} has no answer: H1: it is over")
    assert network.services[3].submitted[0][0].startswith(f"/v1/queries/{query_id}?")


def test_a_charge_is_said_before_the_query_aborts(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    for service in network.services.values():
        service.aborts("query/sort: no message from H2")
    assert main(PAID) == 3
    _, charged, ended = capsys.readouterr().err.splitlines()
    assert charged == "ipa submit: charged query-2"
    assert ended.endswith("if it was charged, it stays charged")


@pytest.mark.parametrize(("words", "said"), [(EXACT, 3), ([*EXACT, "--timeout", "1"], 3)])
def test_a_refusal_ends_with_3(
    words: list[str], said: int, network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    network.services[2].acts["head"] = lambda request: request.refuse(Refusal.STOPPING, "not now")
    assert main(words) == said
    assert "ipa: query query-1 was not submitted: H2 refuses: not now" in capsys.readouterr().err


def test_a_timeout_reaches_the_wait(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    network.services[1].states = [("waiting", "", "")]
    assert main([*EXACT, "--timeout", "1"]) == 3
    assert "ipa: nothing has changed for 1 seconds" in capsys.readouterr().err


def test_an_answer_can_be_fetched_after_giving_up(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*EXACT, "--resume"]) == 0
    assert "8 reports submitted" in capsys.readouterr().out
    assert not any(service.submitted for service in network.services.values())
    fails(capsys, 2, "it needs its --query-id", [*SUBMIT, "--no-noise", "--resume"])


def test_parameters_reach_the_services(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = asked_of("query-1", capping="truncate", aggregate="count", attribution_window=9)
    answer_with(network, Answered(answered, exact().answers))
    words = ["--capping", "truncate", "--aggregate", "count", "--attribution-window", "9"]
    assert main([*EXACT, *words]) == 3  # the fake services answer what was not asked
    assert "sends no answer to this query: it was asked with other" in capsys.readouterr().err
    for service in network.services.values():
        ((path, _),) = service.submitted
        assert {"capping=truncate", "aggregate=count", "attribution_window=9"} <= set(
            path.partition("?")[2].split("&")
        )


def test_wrong_files_and_options_are_one_line(
    network: FakeNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(capsys, 2, "without noise the result is not private", SUBMIT)
    fails(capsys, 2, "query_id must be", [*SUBMIT, "--no-noise", "--query-id", "a b"])
    fails(capsys, 2, "--timeout: must be an integer of at least 1", [*EXACT, "--timeout", "0"])
    fails(capsys, 2, "--clip is for sums with noise", [*EXACT, "--clip"])
    fails(capsys, 2, "value_bits 7, the query asks for 8", [*EXACT, "--value-bits", "8"])
    for option in ("--check", "--workers=2", "--seed=1", "--apart", "--tls", "--ledger=l"):
        fails(capsys, 2, f"unrecognized arguments: {option}", [*EXACT, option])
    no_network = ["submit", "q", "--network", "no.json", *ASKED, "--no-noise"]
    fails(capsys, 2, "no.json cannot be read", no_network)
    other = [*EXACT, "--identity", "net/helper1.tls.pem"]
    fails(capsys, 2, "registered no report collector with this certificate", other)
    fails(capsys, 2, "no.pem cannot be read", [*EXACT, "--identity", "no.pem"])
    mine = [*EXACT, "--identity", f"net/collector-{HOME.report_collector}.tls.pem"]
    Path("q/submitter").write_text("other.example\n")
    fails(capsys, 2, "collector-other.example.tls.pem cannot be read", EXACT)
    fails(capsys, 2, "q: the query is report collector other.example's to submit, and net/", mine)
    Path("q/submitter").write_text(f"{HOME.report_collector}\n")
    Path("q/helper3.query").unlink()
    fails(capsys, 2, "q/helper3.query: cannot be read", EXACT)
    save_configuration(Path("net/network.json"), world().network)
    fails(capsys, 2, "network net.example publishes no services", EXACT)
    assert not any(service.submitted for service in network.services.values())

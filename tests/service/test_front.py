"""The front of one helper party: every route, and every refusal."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from http_cases import (
    COLLECTOR,
    OPERATOR,
    OTHER_COLLECTOR,
    PEER,
    PLAIN,
    answers_in,
    ask,
    ledger_of,
    new_front,
    request_bytes,
    sent_and_received,
    submit,
    target_of,
)
from intake_cases import world
from openapi_cases import check_answer, done_answer

from ipa.budget.ledger import ask as ask_ledger
from ipa.budget.ledger import charge
from ipa.service.front import answer
from ipa.service.parties import STRANGER, Party
from ipa.service.queries import QueryLimits
from ipa.service.refusal import Refusal

NOISY = PLAIN | {"epsilon": "1/4"}


def test_a_query_goes_its_way_from_submission_to_result() -> None:
    front = new_front()
    submitted = submit(front)
    assert (submitted.status, submitted.json) == (201, {"query_id": "q-1", "state": "waiting"})
    (query,) = front.queries.waiting()
    assert query.stream == world().streams[0]
    assert query.asked.submitter == COLLECTOR.name
    assert ask(front, COLLECTOR, "GET", "/v1/queries/q-1/result").refusal == Refusal.NOT_DONE
    front.queries.begin(query)
    query.step = "query/sort"
    said = ask(front, COLLECTOR, "GET", "/v1/queries/q-1").json
    assert said == {"query_id": "q-1", "state": "running", "step": "query/sort", "reason": ""}
    assert not query.collected
    front.queries.done(query, done_answer())
    result = ask(front, COLLECTOR, "GET", "/v1/queries/q-1/result")
    assert result.status == 200 and result.json["shares"]
    assert query.collected
    for named, found in (("submit", submitted), ("result", result)):
        check_answer(named, found)
    assert 'ipa_queries_total{state="waiting"} 1' in front.metrics.text()


def test_an_aborted_query_says_why() -> None:
    front = new_front()
    submit(front)
    front.queries.abort(front.queries.waiting()[0], "H2 is silent")
    found = ask(front, COLLECTOR, "GET", "/v1/queries/q-1")
    assert (found.json["state"], found.json["reason"]) == ("aborted", "H2 is silent")
    check_answer("state", found)


def test_a_query_that_waits_can_be_withdrawn_by_its_report_collector() -> None:
    front = new_front()
    submit(front)
    path, other = "/v1/queries/q-1", Party("report collector", name="other.example")
    assert ask(front, other, "DELETE", path).refusal == Refusal.UNKNOWN_QUERY
    assert [query.asked.query_id for query in front.queries.waiting()] == ["q-1"]
    found = ask(front, COLLECTOR, "DELETE", path)
    check_answer("withdraw", found)
    assert found.json["state"] == "aborted"
    assert found.json["reason"] == "its report collector withdrew it"
    assert submit(front).refusal == Refusal.REPLAYED and front.queries.waiting() == []


@pytest.mark.parametrize("path", ["/v1/queries/q-1", "/v1/queries/q-1/result"])
def test_anothers_query_is_answered_as_one_that_is_not_there(path: str) -> None:
    front = new_front()
    there = path.replace("q-1", "q-2")
    missing = ask(front, OTHER_COLLECTOR, "GET", path)
    submit(front)
    assert ask(front, OTHER_COLLECTOR, "GET", path).body == missing.body
    assert missing.refusal == Refusal.UNKNOWN_QUERY
    assert ask(front, COLLECTOR, "GET", there).refusal == Refusal.UNKNOWN_QUERY
    assert ask(front, STRANGER, "GET", path).refusal == Refusal.NOT_AUTHENTICATED
    for party in (PEER, OPERATOR):
        assert ask(front, party, "GET", path).refusal == Refusal.NOT_YOURS


def test_only_a_report_collector_submits_and_only_its_own() -> None:
    front = new_front()
    stream = world().streams[0]
    for party, refusal in (
        (STRANGER, Refusal.NOT_AUTHENTICATED),
        (PEER, Refusal.NOT_YOURS),
        (OPERATOR, Refusal.NOT_YOURS),
        (OTHER_COLLECTOR, Refusal.NOT_YOURS),
    ):
        found = ask(front, party, "PUT", target_of("q-1"), stream)
        assert found.refusal == refusal
        check_answer("submit", found)
    assert submit(front).status == 201


def test_metrics_are_the_operators() -> None:
    front = new_front()
    for party in (COLLECTOR, PEER):
        assert ask(front, party, "GET", "/metrics").refusal == Refusal.NOT_YOURS
    assert ask(front, STRANGER, "GET", "/metrics").refusal == Refusal.NOT_AUTHENTICATED
    found = ask(front, OPERATOR, "GET", "/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'ipa_refused_requests_total{refusal="another party\'s"} 2' in found.body.decode()


def test_what_is_for_anybody() -> None:
    front = new_front()
    assert ask(front, STRANGER, "GET", "/health").json == {"status": "ok"}
    assert ask(front, STRANGER, "GET", "/v1/record").body == b""
    own = ask(front, STRANGER, "GET", "/v1/configuration").json
    assert (own["helper"], own["network"], own["service"]) == (1, "net.example", None)
    public = front.keys.keys[0].public()
    assert [key["public_key"] for key in own["keys"]] == [public.encoded.hex()]
    assert "/v1/record" in ask(front, STRANGER, "GET", "/openapi.json").json["paths"]
    assert ask(front, STRANGER, "HEAD", "/health").status == 200
    front.queries.stop()
    assert ask(front, STRANGER, "GET", "/health").json == {"status": "stopping"}


@pytest.mark.parametrize(
    ("method", "target", "refusal"),
    [
        ("GET", "/", Refusal.UNKNOWN_PATH),
        ("GET", "/v1/../health", Refusal.UNKNOWN_PATH),
        ("GET", "/v1/queries/a/b", Refusal.UNKNOWN_PATH),
        ("GET", "/health/", Refusal.UNKNOWN_PATH),
        ("GET", "//health", Refusal.UNKNOWN_PATH),
        ("GET", "/Health", Refusal.UNKNOWN_PATH),
        ("DELETE", "/v1/queries/q-1/result", Refusal.WRONG_METHOD),
        ("POST", "/v1/queries/q-1", Refusal.WRONG_METHOD),
        ("POST", "/health", Refusal.WRONG_METHOD),
        ("get", "/health", Refusal.WRONG_METHOD),
        ("GET", "/health?a=b", Refusal.MALFORMED),
        ("GET", "/v1/queries/..", Refusal.MALFORMED),
        ("GET", "/v1/queries/", Refusal.MALFORMED),
        ("GET", "/v1/queries/%00", Refusal.MALFORMED),
        ("GET", "/v1/queries/a%20b", Refusal.MALFORMED),
        ("GET", "/v1/queries/A", Refusal.MALFORMED),
        ("GET", "/v1/queries/" + "a" * 256, Refusal.MALFORMED),
        ("GET", "/v1/queries/" + "a" * 255, Refusal.UNKNOWN_QUERY),
        ("GET", "/v1/queries/a%2Fresult", Refusal.UNKNOWN_QUERY),
        ("PUT", "/v1/queries/q-1?cap=1&breakdowns=4", Refusal.LENGTH_MISSING),
    ],
)
def test_paths_and_methods_that_are_not_there(method: str, target: str, refusal: Refusal) -> None:
    found = ask(new_front(), COLLECTOR, method, target)
    assert found.refusal == refusal
    if refusal is Refusal.WRONG_METHOD:
        assert {"GET", "HEAD"} <= set(found.headers["allow"].upper().split(", "))


def test_only_a_stream_is_a_body() -> None:
    found = ask(new_front(), STRANGER, "GET", "/health", b"body")
    assert (found.refusal, found.headers["connection"]) == (Refusal.MALFORMED, "close")
    assert ask(new_front(), STRANGER, "GET", "/health", b"").status == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"breakdowns": "0"}, "breakdowns must be an integer from 1"),
        ({"cap": "x"}, "cap must be decimal digits"),
        ({"epsilon": "1/0"}, "epsilon must be a decimal"),
        ({"novel": "1"}, "no parameter 'novel'"),
        ({"match_keys_can_collide": "True"}, "no parameter"),
        ({"timestamp_bits": "11"}, "timestamp_bits 10, the query asks for 11"),
    ],
)
def test_parameters_that_cannot_be_asked(changes: dict[str, str], said: str) -> None:
    front = new_front()
    found = submit(front, given=PLAIN | changes)
    assert found.refusal == Refusal.CANNOT_BE_ASKED and said in found.json["problem"]
    assert submit(front, given=PLAIN).status == 201  # the room was free again


def test_without_a_ledger_sums_with_noise_can_be_asked_for_as_well() -> None:
    assert submit(new_front(), given=PLAIN | {"epsilon": "1"}).status == 201


@pytest.mark.parametrize("missing", ["breakdowns", "cap"])
def test_parameters_that_are_missing(missing: str) -> None:
    given = {name: value for name, value in PLAIN.items() if name != missing}
    found = submit(new_front(), given=given)
    assert found.refusal == Refusal.CANNOT_BE_ASKED and missing in found.json["problem"]


def test_with_a_ledger_noise_is_needed_and_counted_in_its_units(tmp_path: Path) -> None:
    front = new_front(ledger_of(tmp_path))
    for given, said in (
        (PLAIN, "exact sums are never paid for"),
        (PLAIN | {"epsilon": "1/3"}, "at most 6 decimals"),
        (NOISY | {"delta": "1/3000"}, "multiples of 1e-18"),
    ):
        found = submit(front, given=given)
        assert found.refusal == Refusal.CANNOT_BE_ASKED and said in found.json["problem"]
    assert submit(front, given=NOISY).status == 201


def test_an_id_that_was_charged_before_a_restart_is_not_taken_again(tmp_path: Path) -> None:
    from openapi_cases import charged_query

    ledger = ledger_of(tmp_path)
    record = charged_query("q-1", Fraction(1, 4))
    ask_ledger(ledger, record)
    charge(ledger, record)
    front = new_front(ledger)
    found = submit(front, given=NOISY)
    assert found.refusal == Refusal.REPLAYED and "charged before" in found.json["problem"]
    assert submit(front, "q-2", given=NOISY).status == 201
    line = ask(front, STRANGER, "GET", "/v1/record")
    assert json.loads(line.body)["query_id"] == "q-1"
    check_answer("record", line)


def test_an_id_is_submitted_once() -> None:
    front = new_front()
    submit(front)
    assert submit(front).refusal == Refusal.REPLAYED
    stream = world().streams[0]
    assert ask(front, OTHER_COLLECTOR, "PUT", target_of("q-1"), stream).refusal == Refusal.REPLAYED


def test_streams_that_are_not_for_this_helper() -> None:
    front = new_front()
    found = submit(front, helper=2)
    assert found.refusal == Refusal.WRONG_STREAM
    assert found.json["problem"].startswith("addressed to another helper: ")
    for stream in (b"", b"IPAQ", world().streams[0][:-1], world().streams[0] + b"x"):
        found = ask(front, COLLECTOR, "PUT", target_of("q-1"), stream)
        assert found.refusal == Refusal.WRONG_STREAM
        assert found.json["problem"].startswith("malformed: ")
    assert submit(front).status == 201


def test_there_is_room_for_so_much() -> None:
    size = len(world().streams[0])
    front = new_front(limits=QueryLimits(most=4, most_bytes=4 * size - 1))
    assert ask(front, COLLECTOR, "PUT", target_of("q"), bytes(2 * size)).refusal == (
        Refusal.TOO_LARGE
    )
    assert submit(front).status == 201
    assert submit(front, "q-2").refusal == Refusal.QUEUE_FULL
    front.queries.stop()
    assert submit(front, "q-3").refusal == Refusal.STOPPING


def test_a_stream_that_ends_early_leaves_nothing_behind() -> None:
    front = new_front()
    data = request_bytes("PUT", target_of("q-1"), world().streams[0])
    received = sent_and_received(data[:-1], partial(answer, front, COLLECTOR))
    assert [found.refusal for found in answers_in(received)] == [Refusal.MALFORMED]
    assert front.queries.waiting() == []
    assert submit(front).status == 201


def test_a_stream_is_not_read_before_its_request_is_found_worth_it() -> None:
    expecting = ("Expect: 100-continue",)
    for front, party, target, refusal in (
        (new_front(), STRANGER, target_of("q-1"), Refusal.NOT_AUTHENTICATED),
        (new_front(), COLLECTOR, target_of("q-1", {}), Refusal.MALFORMED),
        (new_front(), COLLECTOR, target_of("q-1", {"cap": "1"}), Refusal.CANNOT_BE_ASKED),
        (
            new_front(limits=QueryLimits(most_bytes=3)),
            COLLECTOR,
            target_of("q-1"),
            Refusal.TOO_LARGE,
        ),
    ):
        data = request_bytes("PUT", target, b"body", expecting)[: -len(b"body")]
        found = answers_in(sent_and_received(data, partial(answer, front, party)))
        assert [one.refusal for one in found] == [refusal]


def test_a_fault_in_the_helper_party_is_told_as_one(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path)
    ledger.path.write_bytes(b"no ledger")
    front = new_front(replace(ledger))
    found = submit(front, given=NOISY)
    assert (found.status, found.refusal) == (500, Refusal.FAULT)
    assert str(tmp_path) not in found.body.decode()
    assert front.queries.waiting() == []

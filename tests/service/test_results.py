"""A helper party's answer as JSON: read as it was written, or refused and the helper named."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from answer_cases import Answered, asked_of, exact, paid
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import VerificationError
from ipa.parameters import MAX_BREAKDOWNS
from ipa.parties import HELPERS
from ipa.service.results import answer_from_json, answer_to_json, most_answer_bytes

Change = Callable[[dict[str, Any]], object]


def document_of(answered: Answered, helper: int = 2) -> dict[str, Any]:
    """The answer as it comes out of JSON, so that nothing in it is another's."""
    written = answer_to_json(helper, answered.asked.query_id, answered.answers[helper])
    copied: dict[str, Any] = json.loads(json.dumps(written))
    return copied


def read(answered: Answered, document: object) -> Any:
    return answer_from_json(json.dumps(document).encode(), 2, answered.asked)


@pytest.mark.parametrize("answered", [exact, paid])
def test_an_answer_is_read_as_it_was_written(answered: Callable[[], Answered]) -> None:
    known = answered()
    for helper in HELPERS:
        data = json.dumps(document_of(known, helper)).encode()
        assert answer_from_json(data, helper, known.asked) == known.answers[helper]
        assert len(data) < most_answer_bytes(known.asked)


def test_an_answer_shows_what_the_design_says() -> None:
    document = document_of(paid())
    assert document["format"] == "ipa-result/1"
    assert (document["helper"], document["query_id"]) == (2, "query-2")
    assert document["parameters"]["match_key_bits"] == "12"
    assert document["parameters"]["compressed_match_key_bits"] == "11"
    assert document["receipt"]["query"]["epsilon"] == "0.25"
    assert document["receipt"]["remaining"]["epsilon"] == "0.75"
    assert document["compression"] == {"match_key_bits": 11, "collision_probability": "7/512"}
    assert all(len(column) == 2 for half in document["shares"] for column in half)
    assert document_of(exact())["receipt"] is None


def _set(*path: str | int, to: object) -> Change:
    def change(document: dict[str, Any]) -> None:
        """Put another value in."""
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


CHANGES: list[tuple[str, Change]] = [
    ("format must be", _set("format", to="ipa-result/2")),
    ("helper must be", _set("helper", to=1)),
    ("helper must be", _set("helper", to=2.0)),
    ("query_id must be", _set("query_id", to="query-1")),
    ("has no rows", lambda document: document.pop("rows")),
    ("members that do not belong there", _set("more", to=1)),
    ("hexadecimal", _set("query", to=[])),
    ("hexadecimal", _set("query", to="0")),
    ("ends after", _set("query", to="")),
    ("followed by", lambda document: document.update(query=document["query"] + "00")),
    ("parameters must be a JSON object", _set("parameters", to=None)),
    ("parameters must be a JSON object", _set("parameters", "cap", to=60)),
    ("other parameters", _set("parameters", "cap", to="61")),
    ("no parameter", _set("parameters", "colour", to="1")),
    ("rows must be", _set("rows", to=True)),
    ("rows must be", _set("rows", to=9)),
    ("rows must be", _set("rows", to=-1)),
    ("7 reports used and 0 dropped are not 8", _set("rows", to=7)),
    ("submitted must be", _set("submitted", to=1 << 32)),
    ("dropped must be", _set("dropped", to={"bad luck": 1})),
    ("dropped must be", _set("dropped", to=[])),
    ("dropped must be", _set("dropped", to={"malformed": 0})),
    ("8 reports used and 1 dropped", _set("dropped", to={"malformed": 1})),
    ("receipt must be", _set("receipt", to=[])),
    ("number must be", _set("receipt", "number", to=0)),
    ("query must be a JSON object", _set("receipt", "query", to="")),
    ("no record of a query", _set("receipt", "query", "rows", to="8")),
    ("no record of a query", _set("receipt", "query", "more", to="8")),
    ("no record of a query", _set("receipt", "query", "charged_at", to=1_700_000_000)),
    ("no record of a query", _set("receipt", "query", "charged_at", to="2023-11-14T22:13:20")),
    ("no record of a query", _set("receipt", "query", "epsilon", to="0.250")),
    ("for another query", _set("receipt", "query", "epsilon", to="0.5")),
    ("for another query", _set("receipt", "query", "query_id", to="query-1")),
    ("for another query", _set("receipt", "query", "rows", to=9)),
    ("for another query", _set("receipt", "query", "cap", to=1)),
    ("for another query", _set("receipt", "query", "breakdowns", to=5)),
    ("for another query", _set("receipt", "query", "epoch", to=8)),
    ("for another query", _set("receipt", "query", "site", to="shop.example")),
    ("for another query", _set("receipt", "query", "report_collector", to="shop.example")),
    ("for another query", _set("receipt", "query", "network_name", to="shop.example")),
    ("for another query", _set("receipt", "query", "match_key_provider", to="shop.example")),
    ("for another query", _set("receipt", "query", "fanout", to="trigger")),
    ("for another query", _set("receipt", "query", "delta", to="1e-8")),
    ("for another query", _set("receipt", "query", "mechanism", to="laplace-per-helper")),
    ("remaining must be", _set("receipt", "remaining", to=None)),
    ("remaining must be", _set("receipt", "remaining", "epsilon", to=0.75)),
    ("remaining must be", _set("receipt", "remaining", "epsilon", to="0.750")),
    ("remaining delta must be", _set("receipt", "remaining", "delta", to="-1")),
    ("compression is not", _set("compression", to=None)),
    ("compression is not", _set("compression", "collision_probability", to="0/1")),
    ("compression is not", _set("compression", "match_key_bits", to=12)),
    ("shares must be two lists", _set("shares", to={})),
    ("shares must be two lists", _set("shares", to=[[]])),
    ("of the same length", _set("shares", to=["", ""])),
    ("of the same length", _set("shares", 0, to=[])),
    ("columns, and sums at most", _set("shares", to=[["00"] * 64] * 2)),
    ("hexadecimal", _set("shares", 1, 0, to=0)),
    ("hexadecimal", _set("shares", 1, 0, to="0A")),
    ("hexadecimal", _set("shares", 1, 0, to="0 ")),
    ("must have 4 bits", _set("shares", 1, 0, to="0000")),
    ("must have 4 bits", _set("shares", 1, 0, to="10")),
    ("must have 4 bits", _set("shares", 1, 0, to="")),
]


@pytest.mark.parametrize(("said", "change"), CHANGES)
def test_every_wrong_field_is_refused_and_the_helper_named(said: str, change: Change) -> None:
    document = document_of(paid())
    change(document)
    with pytest.raises(VerificationError, match=f"release: H2 sends no answer .*{said}"):
        read(paid(), document)


def test_an_answer_to_other_parameters_is_refused() -> None:
    known = exact()
    other = Answered(asked_of("query-1", cap=61), known.answers)
    with pytest.raises(VerificationError, match=r"H2 .*asked with other parameters"):
        read(other, document_of(known))
    compressed = replace(known.asked, compressed_match_key_bits=3)
    with pytest.raises(VerificationError, match=r"H2 .*asked with other parameters"):
        read(Answered(compressed, known.answers), document_of(known))


def test_exact_sums_have_no_receipt() -> None:
    document = document_of(exact()) | {"receipt": document_of(paid())["receipt"]}
    with pytest.raises(VerificationError, match="never paid for"):
        read(exact(), document)


def test_the_bound_holds_the_longest_answer_and_is_no_gigabyte() -> None:
    most = most_answer_bytes(asked_of("q", breakdowns=MAX_BREAKDOWNS, cap=(1 << 64) - 1))
    assert 2 * (32 + 7) * 2 * MAX_BREAKDOWNS // 8 < most < 1 << 25


def refused_or_read(answered: Answered, data: bytes) -> None:
    """Whatever the bytes: an error that names the helper, or just what is in them."""
    try:
        answer = answer_from_json(data, 2, answered.asked)
    except VerificationError as error:
        assert str(error).startswith("release: H2 sends no answer to this query: ")
        assert len(str(error)) < 1000
    else:
        assert answer_to_json(2, answered.asked.query_id, answer) == json.loads(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    refused_or_read(exact(), data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 10_000,
        b"\xff\xfe",
        b"NaN",
        b'{"format": "ipa-result/1"}',
        b"null",
    ],
)
def test_json_at_its_limits(data: bytes) -> None:
    refused_or_read(exact(), data)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1e-9", "0.25", "00", "1/2", "\ud800", "2023-11-14T22:13:20Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all that is in a JSON value."""
    inner = value.items() if isinstance(value, dict) else ()
    for key, below in enumerate(value) if isinstance(value, list) else inner:
        yield (*path, key)
        yield from places(below, (*path, key))


@given(st.data())
@examples(100)
def test_any_answer_with_one_thing_changed(data: st.DataObject) -> None:
    answered = data.draw(st.sampled_from([exact(), paid()]))
    document = deepcopy(document_of(answered))
    path = data.draw(st.sampled_from(list(places(document))))
    _set(*path, to=data.draw(JSON_VALUES))(document)
    refused_or_read(answered, json.dumps(document).encode())

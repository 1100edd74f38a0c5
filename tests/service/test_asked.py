"""What a query is asked with: as text and back, its digest, and what cannot be asked."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from service_cases import noisy_query, small_query

from ipa.errors import ParameterError
from ipa.parameters import QueryParameters
from ipa.service.asked import Asked, asked_from_text, asked_to_text

ASKED = [
    small_query(),
    noisy_query(epsilon=Fraction(1, 3), security="malicious", mechanism="laplace-per-helper"),
    replace(small_query(), compressed_match_key_bits=9),
    Asked(query_id="q", submitter="s", parameters=QueryParameters(breakdowns=1, cap=1)),
]


@pytest.mark.parametrize("asked", ASKED)
def test_text_and_back(asked: Asked) -> None:
    text = asked_to_text(asked)
    assert asked_from_text(asked.query_id, asked.submitter, text) == asked
    assert "match_keys_can_collide" not in text and "None" not in text.values()


def test_what_is_left_out_has_its_default() -> None:
    asked = asked_from_text("q", "s", {"breakdowns": "4", "cap": "10"})
    assert asked.parameters == QueryParameters(breakdowns=4, cap=10)
    assert asked.compressed_match_key_bits is None


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"colour": "red"}, "there is no parameter 'colour'"),
        ({"match_keys_can_collide": "True"}, "there is no parameter 'match_keys_can_collide'"),
        ({"submitter": "s"}, "there is no parameter 'submitter'"),
        ({"cap": "ten"}, "cap"),
        ({"cap": "0"}, "cap"),
        ({"breakdowns": "-4"}, "breakdowns"),
        ({"breakdowns": "4.0"}, "breakdowns"),
        ({"epsilon": "nan"}, "epsilon"),
        ({"epsilon": "1/0"}, "epsilon"),
        ({"security": "none"}, "security"),
        ({"compressed_match_key_bits": "0"}, "compressed_match_key_bits"),
        ({"compressed_match_key_bits": "1000"}, "compressed_match_key_bits"),
        ({"x" * 1000: ""}, "there is no parameter 'xxx"),
    ],
)
def test_text_that_says_what_cannot_be_asked_is_refused(
    changed: dict[str, str], problem: str
) -> None:
    with pytest.raises(ParameterError, match=problem) as caught:
        asked_from_text("q", "s", {"breakdowns": "4", "cap": "10"} | changed)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("missing", ["breakdowns", "cap"])
def test_what_must_be_said_is_missing(missing: str) -> None:
    given = {"breakdowns": "4", "cap": "10"}
    del given[missing]
    with pytest.raises(ParameterError, match=f"the parameter {missing} is missing"):
        asked_from_text("q", "s", given)


@pytest.mark.parametrize("name", ["query_id", "submitter"])
@pytest.mark.parametrize("value", ["", "two words", "UPPER", "x" * 256, "a\nb"])
def test_a_name_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError, match=name):
        changed: dict[str, Any] = {name: value}
        replace(small_query(), **changed)


def test_the_digest_is_of_all_that_is_asked() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"query_id": "r"},
        {"submitter": "r"},
        {"query_id": "qs", "submitter": "r"},
        {"query_id": "q", "submitter": "sr"},
        {"compressed_match_key_bits": 9},
        {"compressed_match_key_bits": 10},
        {"parameters": noisy_query().parameters},
        {"parameters": small_query(cap=61).parameters},
        {"parameters": small_query(security="malicious").parameters},
    ]
    digests = [replace(small_query(), **changed).digest() for changed in changes]
    assert len(set(digests)) == len(changes) and {len(digest) for digest in digests} == {32}
    assert small_query().digest() == digests[0]


def test_the_digest_of_a_query_is_this() -> None:
    """Helper parties of two versions have to agree on it."""
    asked = Asked(query_id="q", submitter="s", parameters=QueryParameters(breakdowns=4, cap=100))
    assert (
        asked.digest().hex() == "002e11e33e2577a354dd4bb8692e9a317df4695ac6f2bd9097b61b98edb08008"
    )

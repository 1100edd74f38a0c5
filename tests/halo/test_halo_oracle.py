"""The oracles agree with each other and with the simplest counts; set expressions with sets."""

import pytest
from halo_cases import IMPRESSIONS, PUBLISHERS, SELECTIONS, expressions
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.impressions import Impression, Selection
from ipa.halo.oracle import audience, expression_reach, frequency_histogram, reach
from ipa.halo.oracle_sql import expression_reach_sql, frequency_histogram_sql, reach_sql
from ipa.halo.set_expressions import (
    MAX_SETS,
    Operation,
    SetExpression,
    evaluate,
    names_of,
    parse_expression,
    region_weights,
    union_weights,
)

SETS = {name: Selection(publishers=frozenset([name])) for name in PUBLISHERS}
ABC = ["a", "b", "c"]


@given(IMPRESSIONS, SELECTIONS, st.integers(1, 5))
def test_sql_and_python_count_the_same(
    impressions: list[Impression], selections: list[Selection], max_frequency: int
) -> None:
    histogram = frequency_histogram(impressions, max_frequency, selections)
    assert frequency_histogram_sql(impressions, max_frequency, selections) == histogram
    assert reach_sql(impressions, selections) == reach(impressions, selections) == sum(histogram)


def test_a_histogram_by_hand() -> None:
    seen = {"1": 1, "2": 3, "3": 1, "4": 4, "5": 2}
    impressions = [
        Impression(p, "alpha", "c", "m", 0) for p, times in seen.items() for _ in range(times)
    ]
    assert frequency_histogram(impressions, 3) == [2, 1, 2]
    assert frequency_histogram(impressions, 1) == [5]
    assert frequency_histogram(impressions, 3, among=["2", "4", "1"]) == [1, 0, 2]
    assert reach(impressions, among=["2", "9"]) == 1
    assert audience(impressions) == set(seen)


@given(IMPRESSIONS, expressions(PUBLISHERS))
def test_set_expressions_in_sql_and_in_python(
    impressions: list[Impression], expression: SetExpression
) -> None:
    assert expression_reach_sql(impressions, expression, SETS) == expression_reach(
        impressions, expression, SETS
    )


@given(
    st.lists(st.frozensets(st.integers(0, 30)), min_size=4, max_size=4), expressions([*ABC, "d"])
)
def test_weights_of_unions_give_the_size_of_an_expression(
    drawn: list[frozenset[int]], expression: SetExpression
) -> None:
    names = [*ABC, "d"]
    total = sum(
        weight * len(frozenset().union(*(drawn[bit] for bit in range(4) if union >> bit & 1)))
        for union, weight in union_weights(expression, names).items()
    )
    assert total == len(evaluate(expression, dict(zip(names, drawn, strict=True))))


def test_upstream_s_vectors_of_set_expressions() -> None:
    assert union_weights(parse_expression("a - b"), ["a", "b"]) == {0b11: 1, 0b10: -1}
    assert union_weights(parse_expression("a & b"), ["a", "b"]) == {0b01: 1, 0b10: 1, 0b11: -1}
    assert region_weights(0b011, 3) == {4: -1, 5: 1, 6: 1, 7: -1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        (" a&b|c ", Operation("|", Operation("&", "a", "b"), "c")),
        ("a|b&c", Operation("|", "a", Operation("&", "b", "c"))),
        ("a-b-c", Operation("-", Operation("-", "a", "b"), "c")),
        ("a-(b-c)", Operation("-", "a", Operation("-", "b", "c"))),
        ("(a|b)&c", Operation("&", Operation("|", "a", "b"), "c")),
        ('"publisher 1" | x.y', Operation("|", "publisher 1", "x.y")),
        ('"&" | a', Operation("|", "&", "a")),
    ],
)
def test_expressions_are_read(text: str, expected: SetExpression) -> None:
    assert parse_expression(text) == expected


@pytest.mark.parametrize("text", ["", "a |", "| a", "a b", "(a", "a)", "a @ b", '"a', "a & & b"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="set expression"):
        parse_expression(text)


def test_names_and_their_limits() -> None:
    assert names_of(parse_expression("c | a & c")) == ("a", "c")
    with pytest.raises(ParameterError, match="there is no set 'z'; there are a, b"):
        union_weights("z", ["a", "b"])
    many = [f"n{number}" for number in range(MAX_SETS + 1)]
    with pytest.raises(ParameterError, match="may have 12 sets, not 13"):
        union_weights("n1", many)

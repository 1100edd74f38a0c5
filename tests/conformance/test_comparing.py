"""What of an answer is compared: numbers in both forms, messages by route, rows that tie."""

from typing import Any

import pytest

from ipa.conformance.clear_steps import comparable_order
from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import comparable_numbers, number
from ipa.conformance.reference import is_right
from ipa.conformance.vectors import laid_out


@pytest.mark.parametrize("value", [0, 7, 2**53 - 1, 2**53, -(2**60), 2**256])
def test_a_large_number_is_the_same_as_text(value: int) -> None:
    assert isinstance(number(value), int) == (abs(value) < 2**53)
    expected: Any = {"output": {"sums": [number(value)]}}
    assert is_right("clear/query", expected, {"output": {"sums": [value]}})
    assert not is_right("clear/query", expected, {"output": {"sums": [value + 1]}})


def test_digits_that_are_bytes_stay_text() -> None:
    zeros = ["0" * 16, "0" * 18, "-0" + "0" * 16]
    assert comparable_numbers(zeros) == zeros
    assert not is_right(
        "client/data-info", {"output": {"info": zeros[0]}}, {"output": {"info": zeros[1]}}
    )


def test_messages_are_in_order_along_a_route_alone() -> None:
    step = "messages/add"
    table = {"rows": 1, "width": 4, "shares": ["01000101", "01010001", "00000000"]}
    given = {"keys": ["00" * 32, "11" * 32, "22" * 32], "session": "run", "x": table, "y": table}
    expected = honest_answer(step, given)
    messages = expected["output"]["messages"]
    assert len(messages) == 9
    by_receiver = sorted(messages, key=lambda message: (message["to"], message["from"]))
    for order, right in ((by_receiver, True), (messages[::-1], False), (messages[1:], False)):
        got = {"output": {**expected["output"], "messages": order}}
        assert is_right(step, expected, got) == right


@pytest.mark.parametrize(
    "output", [{}, {"messages": 5}, {"messages": [{}]}, [], "text", None, {"messages": [[]]}]
)
def test_an_output_of_another_form_is_wrong(output: Any) -> None:
    right = honest_answer("messages/agree", {"keys": ["00" * 32] * 3, "session": "run"})
    assert not is_right("messages/agree", right, {"output": output})
    assert not is_right("clear/sort", {"output": {"events": []}}, {"output": output})


def test_rows_that_tie_may_stand_in_any_order_and_others_not() -> None:
    def trigger(time: int, value: int) -> dict[str, Any]:
        key = {"match_key": 1, "attribution_constraint_id": 0, "timestamp": time}
        return {"report": "trigger", **key, "trigger_value": value}

    first, second, later = trigger(1, 5), trigger(1, 3), trigger(2, 0)
    one, other = {"events": [first, second, later]}, {"events": [second, first, later]}
    assert comparable_order(one) == comparable_order(other)
    wrong = {"events": [first, later, second]}
    assert comparable_order(wrong) != comparable_order(one)


def test_short_values_stand_on_one_line_and_long_ones_do_not() -> None:
    assert laid_out({"a": [1, 2]}) == '{"a": [1, 2]}'
    long = {"name": "x" * 60, "other": {"b": "y" * 60, "c": []}}
    assert laid_out(long).splitlines()[1] == f' "name": "{"x" * 60}",'
    assert laid_out(list(range(99))).count("\n") == 0

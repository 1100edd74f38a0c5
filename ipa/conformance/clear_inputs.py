"""The inputs of the cases of `clear/`, read and checked: the same for the oracle and for the protocols."""

from collections.abc import Sequence

from ipa.conformance.json_values import (
    Json,
    events_from_json,
    integers,
    parameters_from_json,
    refused_at,
)
from ipa.errors import RefusedCaseError
from ipa.events import Event
from ipa.parameters import Capping, QueryParameters


def asked(given: Json) -> tuple[list[Event], QueryParameters]:
    """The parameters of a case, and its events, which must fit them.

    Raises: RefusedCaseError.
    """
    parameters = parameters_from_json(given["parameters"])
    return events_from_json(given["events"], parameters), parameters


def check_columns(*columns: Sequence[int]) -> None:
    """Check that columns have equally many rows.

    Raises: RefusedCaseError when they do not.
    """
    if len({len(column) for column in columns}) > 1:
        raise RefusedCaseError("input", "mismatch")


def check_bits(*columns: Sequence[int]) -> None:
    """Check that columns are equally long and of bits.

    Raises: RefusedCaseError when they are not.
    """
    check_columns(*columns)
    if any(bit not in (0, 1) for column in columns for bit in column):
        raise RefusedCaseError("input", "range")


def check_numbers(*columns: Sequence[int]) -> None:
    """Check that columns are of numbers from 0 on.

    Raises: RefusedCaseError when they are not.
    """
    if any(value < 0 for column in columns for value in column):
        raise RefusedCaseError("input", "range")


def passes_input(given: Json) -> tuple[list[int], list[int], list[int]]:
    """The bits of one match key and constraint, those of triggers, and the trigger values.

    Raises: RefusedCaseError.
    """
    same, triggers = given["same_match_key_and_constraint"], given["is_trigger"]
    values = integers(given["trigger_value"])
    check_columns(same, triggers, values)
    check_bits(same, triggers)
    check_numbers(values)
    return same, triggers, values


def cap_input(given: Json) -> tuple[list[int], list[int], int, Capping]:
    """The bits of one match key, the credits, the cap and how to cap.

    Raises: RefusedCaseError.
    """
    same, credits, cap = given["same_match_key"], integers(given["credits"]), int(given["cap"])
    check_columns(same, credits)
    check_bits(same)
    check_numbers(credits)
    with refused_at("parameters", "cap"):
        QueryParameters(breakdowns=1, cap=cap)
    capping = given["capping"]
    with refused_at("parameters", "capping"):
        QueryParameters(breakdowns=1, cap=cap, capping=capping)
    return same, credits, cap, capping


def aggregate_input(given: Json) -> tuple[list[int], list[int], int]:
    """The breakdown keys, the credits, and how many breakdown keys there are.

    Raises: RefusedCaseError.
    """
    keys, credits = given["breakdown_keys"], integers(given["credits"])
    check_columns(keys, credits)
    check_numbers(keys, credits)
    breakdowns = given["breakdowns"]
    with refused_at("parameters", "breakdowns"):
        QueryParameters(breakdowns=breakdowns, cap=1)
    return keys, credits, breakdowns

"""Planted mutants of the steps in the clear over events."""

from collections.abc import Callable
from typing import Any

from mutant_cases import Mutant, on_input, on_output, with_patch

from ipa.conformance.json_values import Json
from ipa.protocols.equal_credit import credits_between
from ipa.protocols.helper_bits import helper_bits


def of_events(change: Callable[[Json], Json], **parameters: Any) -> Callable[[Json], Json]:
    """Every event changed, and parameters."""

    def other(given: Json) -> Json:
        """The other input; a parameter may be a function of those given."""
        new = {
            name: value(given["parameters"]) if callable(value) else value
            for name, value in parameters.items()
        }
        events = [change(event) for event in given["events"]]
        return {"events": events, "parameters": {**given["parameters"], **new}}

    return other


def same(event: Json) -> Json:
    return event


def later_triggers(event: Json) -> Json:
    """Twice the time, and one more for a trigger: a source of its time is earlier."""
    return event | {"timestamp": 2 * int(event["timestamp"]) + (event["report"] == "trigger")}


def bits_more(name: str) -> Callable[[Json], int]:
    return lambda parameters: min(64, parameters.get(name, 32) + 1)


def by_time(given: Json) -> Json:
    """A window of twice as many, where times are doubled."""
    window = given["parameters"].get("attribution_window")
    doubled = of_events(later_triggers, timestamp_bits=bits_more("timestamp_bits"))(given)
    if window is not None:
        doubled["parameters"]["attribution_window"] = 2 * int(window)
    return doubled


def reversed_breakdowns(given: Json) -> Json:
    last = given["parameters"]["breakdowns"] - 1

    def other(event: Json) -> Json:
        """Breakdown keys from the other end."""
        key = event.get("breakdown_key")
        return event if key is None else event | {"breakdown_key": last - key}

    return of_events(other)(given)


def with_window(change: Callable[[int], int | None]) -> Callable[[Json], Json]:
    def other(given: Json) -> Json:
        """Another window where there is one."""
        window = given["parameters"].get("attribution_window")
        return (
            given
            if window is None
            else of_events(same, attribution_window=change(int(window)))(given)
        )

    return other


def cap_per_constraint(given: Json) -> Json:
    """Match key and constraint ID together are the match key."""
    asked = given["parameters"]
    bits = asked.get("attribution_constraint_id_bits", 16)

    def other(event: Json) -> Json:
        """The wider match key."""
        return event | {
            "match_key": int(event["match_key"]) << bits | int(event["attribution_constraint_id"])
        }

    return of_events(other, match_key_bits=asked.get("match_key_bits", 64) + bits)(given)


def sorted_by(key: Callable[[Json], Any]) -> Callable[[Json, Json], Json]:
    return lambda _, output: {"events": sorted(output["events"], key=key)}


def names(*fields: str) -> Callable[[Json], list[int]]:
    return lambda event: [int(event.get(name, 0)) for name in fields]


def sources_first(event: Json) -> list[int]:
    key = names("match_key", "attribution_constraint_id", "timestamp")(event)
    return [*key, event["report"] == "trigger", event.get("breakdown_key", 0)]


def first_bit_of_zero(given: Json, output: Json) -> Json:
    """As if a row of zeros stood before the first one."""
    keys = sorted(
        (int(event["match_key"]), int(event["attribution_constraint_id"]))
        for event in given["events"]
    )
    if keys and keys[0][0] == 0:
        output["same_match_key"][0] = 1
        output["same_match_key_and_constraint"][0] = int(keys[0][1] == 0)
    return output


def constraint_alone(given: Json, output: Json) -> Json:
    keys = sorted(
        (int(event["match_key"]), int(event["attribution_constraint_id"]))
        for event in given["events"]
    )
    bits = [int(i > 0 and keys[i][1] == keys[i - 1][1]) for i in range(len(keys))]
    return output | {"same_match_key_and_constraint": bits}


def descending_breakdowns(events: list[Json]) -> list[Json]:
    """In order but for the breakdown keys."""
    key = names("match_key", "attribution_constraint_id", "timestamp")
    return sorted(
        events,
        key=lambda e: [*key(e), e["report"] == "source", -e.get("breakdown_key", 0)],
    )


CLEAR_MUTANTS = [
    Mutant("a source at the trigger's time counts", "clear/attribute", on_input(by_time)),
    Mutant("of a tie the smaller breakdown key", "clear/attribute", on_input(reversed_breakdowns)),
    Mutant(
        "constraint IDs are ignored",
        "clear/attribute",
        on_input(of_events(lambda event: event | {"attribution_constraint_id": 0})),
    ),
    Mutant(
        "the window ends one earlier",
        "clear/attribute",
        on_input(with_window(lambda w: w - 1 or 1)),
    ),
    Mutant("the window is one longer", "clear/attribute", on_input(with_window(lambda w: w + 1))),
    Mutant("the window is ignored", "clear/attribute", on_input(with_window(lambda w: None))),
    Mutant(
        "first touch is last touch",
        "clear/attribute",
        on_input(
            of_events(
                same,
                attribution=lambda p: {"first-touch": "last-touch"}.get(
                    p.get("attribution", "last-touch"), p.get("attribution", "last-touch")
                ),
            )
        ),
    ),
    Mutant(
        "what a split leaves over is lost",
        "clear/attribute",
        with_patch(
            "ipa.attribution.credits_between",
            lambda network, is_trigger, end, start, rest: credits_between(
                network, is_trigger, end, start, rest ^ rest
            ),
        ),
    ),
    Mutant("a count is a sum", "clear/attribute", on_input(of_events(same, aggregate="sum"))),
    Mutant(
        "the report bound is ignored",
        "clear/attribute",
        on_input(of_events(same, max_reports_per_match_key=None)),
    ),
    Mutant(
        "sources before triggers of one time", "clear/sort", on_output(sorted_by(sources_first))
    ),
    Mutant(
        "time before constraint ID",
        "clear/sort",
        on_output(sorted_by(names("match_key", "timestamp", "attribution_constraint_id"))),
    ),
    Mutant(
        "breakdown keys in descending order",
        "clear/sort",
        on_output(lambda given, output: {"events": descending_breakdowns(output["events"])}),
    ),
    Mutant(
        "one helper bit for both purposes",
        "clear/helper-bits",
        on_output(
            lambda _, output: output | {"same_match_key": output["same_match_key_and_constraint"]}
        ),
    ),
    Mutant(
        "the first row follows a row of zeros", "clear/helper-bits", on_output(first_bit_of_zero)
    ),
    Mutant("constraint IDs compared alone", "clear/helper-bits", on_output(constraint_alone)),
    Mutant(
        "padding counts as reports of match key 0",
        "clear/helper-bits",
        with_patch(
            "ipa.conformance.honest_adapter.helper_bits",
            lambda network, reports, padding: helper_bits(network, reports),
        ),
    ),
    Mutant("a cap for each constraint ID", "clear/query", on_input(cap_per_constraint)),
    Mutant(
        "no cap",
        "clear/query",
        on_input(of_events(same, cap=str(2**64 - 1))),
    ),
    Mutant(
        "truncation instead of proportion",
        "clear/query",
        on_input(of_events(same, capping="truncate")),
    ),
]

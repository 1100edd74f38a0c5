"""Planted mutants of the steps in the clear over columns of sorted rows."""

from collections.abc import Callable, Sequence
from math import exp

from mutant_cases import Mutant, on_input, on_output

from ipa.conformance.json_values import Json, integers

Numbers = list[int]


def passes(
    stop_rule: Callable[[int, int], int], *, wraps: bool = False, bits: int = 128
) -> Callable[[Json, Json], Json]:
    """The passes, with another rule for the stop bit, the last row's successor, or the word."""

    def other(given: Json, _: Json) -> Json:
        """All passes."""
        linked = [
            s & t
            for s, t in zip(
                given["same_match_key_and_constraint"], given["is_trigger"], strict=True
            )
        ]
        credit, n = integers(given["trigger_value"]), len(linked)
        stop, done, distance = [1] * n, [], 1
        while distance < n:
            d = distance

            def at(column: Sequence[int], i: int, d: int = d) -> int:
                """The row `d` ahead."""
                return column[(i + d) % n] if wraps or i + d < n else 0

            flag = [stop[i] & at(linked, i) for i in range(n)]
            credit = [(credit[i] + flag[i] * at(credit, i)) % (1 << bits) for i in range(n)]
            stop = [stop_rule(flag[i], at(stop, i)) for i in range(n)]
            done.append({"distance": d, "flag": flag, "credit": credit})
            distance *= 2
        return {"passes": done}

    return other


def capped(rule: Callable[[Numbers, int, str], Numbers]) -> Callable[[Json, Json], Json]:
    """Each match key's credits capped by another rule."""

    def other(given: Json, _: Json) -> Json:
        """The credits of all match keys."""
        groups: list[Numbers] = []
        for place, (bit, credit) in enumerate(
            zip(given["same_match_key"], integers(given["credits"]), strict=True)
        ):
            if place and bit:
                groups[-1].append(credit)
            else:
                groups.append([credit])
        cap = int(given["cap"])
        return {"credits": [c for group in groups for c in rule(group, cap, given["capping"])]}

    return other


def right_cap(credits: Numbers, cap: int, capping: str, modulus: int = 1 << 200) -> Numbers:
    """The right rule, but for the word that totals are kept in."""
    total, so_far, kept = sum(credits) % modulus, 0, []
    for credit in credits:
        before, so_far = so_far, (so_far + credit) % modulus
        if capping == "truncate":
            kept.append(min(so_far, cap) - min(before, cap))
        elif total > cap:
            kept.append(cap * so_far // total - cap * before // total)
        else:
            kept.append(credit)
    return kept


def each_by_itself(round_up: int) -> Callable[[Numbers, int, str], Numbers]:
    def rule(credits: Numbers, cap: int, capping: str) -> Numbers:
        """Each credit scaled and rounded alone."""
        total = sum(credits)
        if capping == "truncate" or total <= cap:
            return right_cap(credits, cap, capping)
        return [(2 * cap * credit + round_up * total) // (2 * total) for credit in credits]

    return rule


def forgetful(credits: Numbers, cap: int, capping: str) -> Numbers:
    if capping == "truncate":
        return [min(credit, cap) for credit in credits]
    return right_cap(credits, cap, capping)


def nothing_above(credits: Numbers, cap: int, capping: str) -> Numbers:
    if sum(credits) > cap:
        return [0] * len(credits)
    return credits


def modulo(bits: int, name: str) -> Callable[[Json, Json], Json]:
    """Numbers that wrap at the end of a word."""
    return lambda _, output: {name: [value % (1 << bits) for value in integers(output[name])]}


def last_key(given: Json) -> Json:
    keys = [min(key, given["breakdowns"] - 1) for key in given["breakdown_keys"]]
    return given | {"breakdown_keys": keys}


def inclusive_coins(given: Json) -> Json:
    return given | {"words": [max(0, word - 1) for word in integers(given["words"])]}


def reversed_digits(given: Json) -> Json:
    half = len(given["words"]) // 2
    return given | {"words": [*given["words"][:half][::-1], *given["words"][half:][::-1]]}


def floats(given: Json, output: Json) -> Json:
    """Thresholds from floating point, rounded down."""
    numerator, _, denominator = given["epsilon"].partition("/")
    rate = int(numerator) / int(denominator or 1) / given["sensitivity"]
    scale = 1 << given["precision"]
    return output | {
        "thresholds": [int(scale / (1 + exp(2**i * rate))) for i in range(given["digits"])]
    }


COLUMN_MUTANTS = [
    Mutant(
        "the stop bit of the specification's table",
        "clear/last-touch-passes",
        on_output(passes(lambda flag, _: flag)),
    ),
    Mutant(
        "the last row looks at the first",
        "clear/last-touch-passes",
        on_output(passes(lambda flag, stop: flag & stop, wraps=True)),
    ),
    Mutant(
        "credit of 64 bits wraps",
        "clear/last-touch-passes",
        on_output(passes(lambda flag, stop: flag & stop, bits=64)),
    ),
    Mutant(
        "one pass too few",
        "clear/last-touch-passes",
        on_output(lambda _, output: {"passes": output["passes"][:-1]}),
    ),
    Mutant(
        "each credit is rounded down by itself", "clear/cap", on_output(capped(each_by_itself(0)))
    ),
    Mutant(
        "each credit is rounded to the nearest", "clear/cap", on_output(capped(each_by_itself(1)))
    ),
    Mutant("truncation forgets the rows before", "clear/cap", on_output(capped(forgetful))),
    Mutant("above the cap nothing is left", "clear/cap", on_output(capped(nothing_above))),
    Mutant(
        "totals of 64 bits wrap",
        "clear/cap",
        on_output(capped(lambda group, cap, capping: right_cap(group, cap, capping, 1 << 64))),
    ),
    Mutant("a foreign breakdown key is the last one", "clear/aggregate", on_input(last_key)),
    Mutant("sums of 64 bits wrap", "clear/aggregate", on_output(modulo(64, "sums"))),
    Mutant("a coin is 1 at its threshold", "clear/noise", on_input(inclusive_coins)),
    Mutant("digits from the highest", "clear/noise", on_input(reversed_digits)),
    Mutant("thresholds are rounded down", "clear/noise", on_output(floats)),
    Mutant(
        "the noise has the other sign",
        "clear/noise",
        on_output(lambda _, output: output | {"noise": -output["noise"]}),
    ),
]

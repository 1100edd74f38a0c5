"""Exercises of notebook 1: one shared bit."""

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def bit_of_three_pairs(answer: object) -> None:
    """The XOR of the three different shares."""
    mistakes = {1: "Did you count a share twice? Each share is held by two helpers."}
    expect_number(answer, 1 ^ 0 ^ 1, "A bit is 0 or 1: XOR x1, x2 and x3.", mistakes)


def pair_of_the_xor(answer: object) -> None:
    """H1 XORs its first shares, and its second shares."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise Wrong(f"A tuple of two bits is wanted, not {answer!r}.")
    for place, right in (("first", 1 ^ 0), ("second", 1 ^ 1)):
        given = answer[place == "second"]
        if given != right or type(given) is not int:
            raise Wrong(
                f"The {place} share is not {given!r}: XOR the {place} shares of x and y."
            )


def two_shares(answer: object) -> None:
    """Shares that give the bit, and of which each is uniform whatever the bit is."""
    seen: dict[int, list[tuple[int, int]]] = {}
    for bit in (0, 1):
        shares = [call(answer, bit, coin) for coin in (0, 1)]
        for coin, pair in enumerate(shares):
            if not isinstance(pair, tuple) or len(pair) != 2 or not set(pair) <= {0, 1}:
                raise Wrong(f"It must return a tuple of two bits, not {pair!r}.")
            if pair[0] ^ pair[1] != bit:
                raise Wrong(
                    f"For bit {bit} and coin {coin} the XOR of {pair} is not {bit}."
                )
        seen[bit] = shares
    for place, name in enumerate(("first", "second")):
        for bit, shares in seen.items():
            if shares[0][place] == shares[1][place]:
                raise Wrong(
                    f"For bit {bit} the {name} share is {shares[0][place]} whatever the coin "
                    "is, so it tells its holder something."
                )


EXERCISES: tuple[Exercise, ...] = (bit_of_three_pairs, pair_of_the_xor, two_shares)
check = checker(*EXERCISES)

"""What a debugger or an error report would print in the middle of a check shows no share."""

import re
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from malicious_cases import MaliciousSimulation

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import SMALLEST_CHECKED_FIELD
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.verification import bit_check, element_check, inner_product
from ipa.sharing.rings import PRIME_FIELD, Ring
from ipa.sharing.verification.shamir import ShamirPoints

PUBLIC = (ShamirPoints,)
PUBLIC_NUMBERS = f"{SMALLEST_CHECKED_FIELD}|{PRIME_FIELD.modulus}"


def values_in(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    """The locals of all functions of the library that are running, and what is in their containers."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("ipa."):
            for name, value in frame.f_locals.items():
                yield from ((f"{frame.f_code.co_name}: {name}", part) for part in parts_of(value))
        frame = frame.f_back


def parts_of(value: Any) -> Iterator[Any]:
    """What is in a container, and in the containers in it; of anything else itself."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from parts_of(part)
    else:
        yield value


def shown_by_the_check(monkeypatch: pytest.MonkeyPatch, elements: bool) -> dict[str, str]:
    """The `repr` of every object of the library that is in use when a coin is drawn, by where it is."""
    shown: dict[str, str] = {}

    def looking(network: HelperPartyNetwork, field: Ring, count: int) -> list[int]:
        for where, value in values_in(sys._getframe(1)):
            if type(value).__module__.startswith("ipa.") and not isinstance(value, PUBLIC):
                shown[where] = shown.get(where, "") + repr(value)
        return public_coins(network, field, count)

    for module in (bit_check, element_check, inner_product):
        monkeypatch.setattr(module, "public_coins", looking)
    simulation = MaliciousSimulation(1)
    if elements:
        x = simulation.numbers(PRIME_FIELD, [5, 6, 7])
        multiply_elements(simulation.network, x, x)
    else:
        bits = simulation.bits([simulation.randomness.random_bits(64) for _ in range(300)], 64)
        multiply(simulation.network, bits, bits)
    simulation.finish()
    return shown


@pytest.mark.parametrize("elements", [False, True])
def test_nothing_in_use_during_a_check_shows_a_share(
    monkeypatch: pytest.MonkeyPatch, elements: bool
) -> None:
    """Shares are bytes, or numbers of sixty bits and more; what is public is shorter, or a coin's."""
    shown = shown_by_the_check(monkeypatch, elements)
    names = {where.rpartition(" ")[2] for where in shown}
    assert {"network", "statement"} <= names
    assert elements or "blocks" in names
    for where, text in shown.items():
        if not where.endswith(": weights"):
            assert not re.search(r"\d{12}", re.sub(PUBLIC_NUMBERS, "", text)), (where, text)
            assert not re.search(r"\bb['\"]", text), (where, text)

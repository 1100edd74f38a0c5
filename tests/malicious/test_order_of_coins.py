"""Every coin is opened after everything that it judges has been sent, and received, by all helpers.

A coin that a helper knows earlier lets it choose what it sends so that its error vanishes: one wrong
product then passes every time. So the order is what the check rests on, for each coin that there is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pytest
from malicious_cases import TINY_EVENTS, MaliciousSimulation, tiny

from ipa.network.channel import Channel, Message
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import CheckRules
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives import coins
from ipa.protocols.verification import bit_check, element_check, inner_product
from ipa.sharing.rings import PRIME_FIELD, Ring
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.column_hash import ColumnHash

JUDGED = {
    r"check(#\d+)?/bits/coin": r"multiply(#\d+)?",
    r"check(#\d+)?/bits/coin#2": r"check(#\d+)?/bits/values",
    r"check(#\d+)?/numbers(#\d+)?/coin": r"multiply-numbers(#\d+)?",
    r"(?P<half>.*/halve(#\d+)?)/coin": r"{half}/products",
    r"(?P<half>.*/last)/coin": r"{half}/products",
    r"(?P<half>.*/shuffle(#\d+)?)/keys": r"{half}/pass/last",
}
"""For each kind of coin the step whose messages it judges: they are the last before it.

The secret keys of a shuffle's tags are no coins, but they judge rows as coins do once they are opened.
"""


@dataclass(frozen=True)
class Event:
    """A message that a helper sent or received, in the order in which that happened."""

    kind: Literal["sent", "received"]
    message: Message


class Watched:
    """A helper's end of the channel that writes down what is sent and what is received."""

    def __init__(self, channel: Channel, events: list[Event]) -> None:
        self.channel = channel
        self.events = events

    def send(self, message: Message) -> None:
        self.events.append(Event("sent", message))
        self.channel.send(message)

    def receive(self, sender: int) -> Message | None:
        message = self.channel.receive(sender)
        if message is not None:
            self.events.append(Event("received", message))
        return message

    def is_drained(self) -> bool:
        return self.channel.is_drained()


def watch(simulation: MaliciousSimulation) -> list[Event]:
    events: list[Event] = []
    parties = simulation.network.parties
    for helper in HELPERS:
        parties[helper] = replace(parties[helper], channel=Watched(parties[helper].channel, events))
    return events


def bits(simulation: MaliciousSimulation) -> None:
    """Batches of one block, of several, and of several groups of them."""
    for rows, width in ((5, 3), (300, 9), (4000, 70)):
        x = simulation.bits([0] * rows, width)
        multiply(simulation.network, x, x)
        simulation.finish()


def numbers(simulation: MaliciousSimulation) -> None:
    for count in (1, 2, 7):
        x = simulation.numbers(PRIME_FIELD, [3] * count)
        multiply_elements(simulation.network, x, x)
        simulation.finish()


def whole_query(simulation: MaliciousSimulation) -> None:
    simulation.query(TINY_EVENTS, tiny())


def whole_query_by_shuffling(simulation: MaliciousSimulation) -> None:
    simulation.query(TINY_EVENTS, tiny(sort="shuffle"))


RUNS = {
    "bits": bits,
    "numbers": numbers,
    "query": whole_query,
    "query by shuffling": whole_query_by_shuffling,
}


def count_coins(patch: pytest.MonkeyPatch) -> list[int]:
    """A list to which every drawing of coins adds how many it drew."""
    drawn: list[int] = []

    def counted(network: HelperPartyNetwork, field: Ring, count: int) -> list[int]:
        if count:
            drawn.append(count)
        return coins.public_coins(network, field, count)

    for module in (bit_check, element_check, inner_product):
        patch.setattr(module, "public_coins", counted)
    return drawn


def judged_step(coin: str) -> str:
    """The pattern of the step that a coin judges; every coin has one."""
    for pattern, step in JUDGED.items():
        if found := re.fullmatch(pattern, coin):
            half = found.groupdict().get("half", "")
            return step.replace("{half}", re.escape(half))
    raise AssertionError(f"nothing is known of what the coin {coin} judges: add it to JUDGED")


@pytest.mark.parametrize("name", RUNS)
def test_every_coin_comes_after_all_that_it_judges(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Callable[[MaliciousSimulation], None] = RUNS[name]
    drawn = count_coins(monkeypatch)
    rules = CheckRules(batch_gates=150 if name.startswith("query") else 1 << 26)
    simulation = MaliciousSimulation(1, rules)
    events = watch(simulation)
    run(simulation)
    openings = [
        place
        for place, event in enumerate(events)
        if event.kind == "sent" and re.search(r"/(coin(#\d+)?|keys)/open$", event.message.step)
    ]
    by_step: dict[str, list[int]] = {}
    for place in openings:
        by_step.setdefault(events[place].message.step.removesuffix("/open"), []).append(place)
    assert sum("/coin" in step for step in by_step) == len(drawn)
    assert ("query/sort/shuffle/keys" in by_step) == (name == "query by shuffling")
    for coin, places in by_step.items():
        check_coin(events[: places[0]], coin)


def check_coin(before: list[Event], coin: str) -> None:
    sent = [event.message for event in before if event.kind == "sent"]
    received = [event.message for event in before if event.kind == "received"]
    ready = [message for message in sent if message.step == f"{coin}/ready"]
    assert len(ready) == 6, coin
    assert sent[-6:] == ready  # and nothing comes between that and the coin
    assert len(received) == len(sent)  # everything has arrived by then
    assert set(map(id, received)) == set(map(id, sent))
    last = sent[-7].step
    pattern = judged_step(coin)
    assert re.fullmatch(pattern, last.rpartition("/")[2] if "multiply" in pattern else last), (
        coin,
        last,
    )
    judged = [message for message in sent if message.step == sent[-7].step]
    senders = {2, 3} if coin.endswith("/keys") else set(HELPERS)  # H1 hears the last rows of nobody
    assert {message.sender for message in judged} == senders


@pytest.mark.parametrize("name", ["bits", "numbers"])
def test_nothing_that_is_judged_is_sent_after_the_last_coin(name: str) -> None:
    """Behind it there are only the openings that compare both copies of what they open."""
    simulation = MaliciousSimulation(1)
    RUNS[name](simulation)
    steps = [message.step for message in simulation.transcript.messages]
    last_coin = max(place for place, step in enumerate(steps) if step.endswith("last/coin/open"))
    assert [step.rpartition("/")[2] for step in steps[last_coin + 1 :]] == (
        ["open-shamir"] * 6 + ["open"] * 6
    )


def test_the_hash_s_key_is_of_two_coins_and_the_weights_of_two_others() -> None:
    """One coin twice would leave 64 bits in a key of 128."""
    keys: list[bytes] = []
    weights: list[tuple[int, int]] = []
    drawn: list[list[int]] = []
    with pytest.MonkeyPatch.context() as patch:
        made, real = ColumnHash, coins.public_coins

        def column_hash(field: BinaryField, key: bytes, length: int) -> ColumnHash:
            keys.append(key)
            return made(field, key, length)

        def remember(network: HelperPartyNetwork, field: Ring, count: int) -> list[int]:
            drawn.append(real(network, field, count))
            return drawn[-1]

        really = bit_check._draw_weights

        def remember_weights(*arguments):  # type: ignore[no-untyped-def]
            result = really(*arguments)
            weights.append((result.gamma, result.rho))
            return result

        patch.setattr(bit_check, "ColumnHash", column_hash)
        patch.setattr(bit_check, "public_coins", remember)
        patch.setattr(bit_check, "_draw_weights", remember_weights)
        for seed in range(3):
            simulation = MaliciousSimulation(seed)
            x = simulation.bits([0] * 4000, 70)
            multiply(simulation.network, x, x)
            simulation.finish()
    firsts = [coin for coin in drawn if len(coin) == 4]
    assert len(firsts) == len(keys) == len(weights) == 3
    for (first, second, third, fourth), key, (gamma, rho) in zip(
        firsts, keys, weights, strict=True
    ):
        assert key == first.to_bytes(8, "little") + second.to_bytes(8, "little")
        assert (gamma, rho) == (third, fourth)
        assert len({first, second, third, fourth}) == 4

"""Hypothesis strategies for tables of bits and numbers, and a simulation to share them in."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.costs import Cost, cost_of
from ipa.network.interception import Transcript
from ipa.network.simulation import simulated_network
from ipa.parameters import Attribution, QueryParameters, Security, Sort
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import share_elements, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import IntegersModulo, Ring
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements

SEEDS = st.integers(0, 2**32)
ROWS = st.sampled_from([0, 1, 2, 3, 5, 7, 8, 9]) | st.integers(0, 40)
WIDTHS = st.sampled_from([1, 2, 3]) | st.integers(1, 24) | st.just(64)
MANY = st.sampled_from([1, 2, 3, 5, 9, 1 << 20])
"""From how many rows on rows are many, for tables as small as tests have."""
SOME_PRIMES = (2, 3, 5, 7, 31, 251, 257, (1 << 31) - 1, (1 << 61) - 1, (1 << 80) - 65)
RINGS = st.sampled_from([IntegersModulo(prime) for prime in SOME_PRIMES]) | st.integers(1, 70).map(
    lambda bits: IntegersModulo(1 << bits)
)


def examples(count: int) -> Callable[[Any], Any]:
    """So many examples in the quick profile, more in a thorough one; each may take its time."""
    scale = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
    return settings(max_examples=count * scale, deadline=None)


def below(bound: int) -> st.SearchStrategy[int]:
    """0 to bound - 1; both ends turn up often."""
    return st.sampled_from([0, bound - 1]) | st.integers(0, bound - 1)


def columns_of_numbers(rows: int, *widths: int) -> st.SearchStrategy[tuple[list[int], ...]]:
    """For each width a list of `rows` numbers of so many bits."""
    return st.tuples(
        *(st.lists(below(1 << width), min_size=rows, max_size=rows) for width in widths)
    )


class Simulation:
    """A simulated network with its transcript, and randomness for the clients, all from a seed."""

    def __init__(self, seed: int, security: Security = "semi-honest") -> None:
        self.transcript = Transcript()
        self.network = simulated_network(seed, [self.transcript], security=security)
        self.randomness = Randomness.from_seed(seed, "client shares")

    def bits(self, values: list[int], width: int) -> SharedBits:
        return share_rows(self.network.name, values, width, self.randomness)

    def numbers(self, ring: Ring, values: list[int]) -> SharedElements:
        return share_elements(self.network.name, ring, values, self.randomness)

    def reports(self, events: list[Event], parameters: QueryParameters) -> GenericReports:
        return share_events(self.network.name, events, parameters, self.randomness)

    @property
    def cost(self) -> Cost:
        return cost_of(self.network.costs)


@st.composite
def small_queries(
    draw: st.DrawFn, min_events: int = 0, max_events: int = 40
) -> tuple[list[Event], QueryParameters]:
    """Events in fields of a few bits, so that keys collide, times tie and caps are met.

    Half of the tables are of one person, who meets a low cap under several constraint IDs together:
    a cap that each constraint ID has for itself gives other sums there, and hardly elsewhere.
    """
    of_one_person = draw(st.booleans())
    caps = st.integers(1, 4) if of_one_person else st.integers(1, 40) | st.integers(1, 2**10)
    timestamp_bits = draw(st.integers(1, 4))
    window = draw(st.none() | st.integers(1, (1 << timestamp_bits) - 1))
    parameters = QueryParameters(
        breakdowns=draw(st.integers(1, 9)),
        cap=draw(caps),
        capping=draw(st.sampled_from(["proportional", "truncate"])),
        aggregate=draw(st.sampled_from(["sum", "count"])),
        security=draw(st.sampled_from(["semi-honest", "malicious"])),
        sort=draw(st.sampled_from(get_args(Sort))),
        match_key_bits=draw(st.integers(1, 3)),
        attribution_constraint_id_bits=draw(st.integers(1, 2)),
        timestamp_bits=timestamp_bits,
        attribution=draw(st.sampled_from(get_args(Attribution))),
        attribution_window=window,
        value_bits=draw(st.integers(1, 6)),
    )
    often = st.just(max_events // 2) if of_one_person else st.sampled_from([0, 1, 2, 3])
    count = draw(often | st.integers(min_events, max_events))
    events = draw(events_within(parameters, max(count, min_events)))
    if of_one_person:
        events = [replace(event, match_key=1) for event in events]
    return events, parameters


def events_within(parameters: QueryParameters, count: int) -> st.SearchStrategy[list[Event]]:
    """`count` events with fields as wide as the parameters say; the largest values often."""
    key = (
        below(1 << parameters.match_key_bits),
        below(1 << parameters.attribution_constraint_id_bits),
        below(1 << parameters.timestamp_bits),
    )
    event: st.SearchStrategy[Event] = st.builds(
        SourceEvent, *key, below(parameters.breakdowns)
    ) | st.builds(TriggerEvent, *key, below(1 << parameters.value_bits))
    return st.lists(event, min_size=count, max_size=count)

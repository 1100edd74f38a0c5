"""What tests draw, from `ipa.testing` and beyond, and a simulation to share tables in."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ipa.events import Event
from ipa.network.costs import Cost, cost_of
from ipa.network.interception import Transcript
from ipa.network.simulation import simulated_network
from ipa.parameters import QueryParameters, Security
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import share_elements, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import IntegersModulo, Ring
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements
from ipa.testing import below as below
from ipa.testing import columns_of_numbers as columns_of_numbers
from ipa.testing import events_within as events_within
from ipa.testing import row_counts
from ipa.testing import small_queries as small_queries

SEEDS = st.integers(0, 2**32)
ROWS = row_counts()
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

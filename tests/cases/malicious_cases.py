"""What these tests share: tiny queries, simulations with a product log, one changed message."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from hypothesis import strategies as st
from strategies import events_within

from ipa.attacks import Attack
from ipa.errors import MisbehaviourError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.channel import Message
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript
from ipa.network.product_log import CheckRules
from ipa.network.simulation import RunOptions, pairwise_keys, simulated_network
from ipa.parameters import Capping, QueryParameters, Sort
from ipa.protocols.verification.product_check import check_products
from ipa.query import query, run_query
from ipa.reports import share_events
from ipa.sharing.bits import Columns
from ipa.sharing.dealing import share_elements, share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import Ring
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements

CAPPINGS: tuple[Capping, ...] = ("proportional", "truncate")
SEED = 1

TINY_EVENTS: list[Event] = [
    SourceEvent(1, 0, 0, 1),
    TriggerEvent(1, 0, 1, 3),
    SourceEvent(2, 1, 2, 0),
]


def tiny(capping: Capping = "proportional", sort: Sort = "bitonic") -> QueryParameters:
    """Fields of one or two bits: a query of some three hundred messages.

    The bitonic network opens nothing, so that all products wait for one check.
    """
    return QueryParameters(
        breakdowns=2,
        cap=2,
        capping=capping,
        sort=sort,
        match_key_bits=2,
        attribution_constraint_id_bits=1,
        timestamp_bits=2,
        value_bits=2,
    )


@cache
def honest_messages(capping: Capping, sort: Sort = "bitonic") -> tuple[Message, ...]:
    """The transcript of the tiny query when everybody is honest."""
    transcript = Transcript()
    run_query(
        TINY_EVENTS,
        tiny(capping, sort),
        no_noise=True,
        options=RunOptions(seed=SEED, interceptors=[transcript]),
    )
    return tuple(transcript.messages)


def last_index(messages: Sequence[Message], step: str) -> int:
    """The last message of a step, or below it; raises ValueError when no step has that name."""
    return max(
        index
        for index, message in enumerate(messages)
        if message.step == step or message.step.startswith(f"{step}/")
    )


Change = Literal["flip", "drop", "truncate", "extend", "replay"]
CHANGES: tuple[Change, ...] = ("flip", "drop", "truncate", "extend", "replay")


@dataclass
class ChangeMessage:
    """An interceptor that changes message number `index` of a run, and no other."""

    index: int
    change: Change
    bit: int = 0
    seen: int = 0

    def __call__(self, message: Message) -> Iterable[Message]:
        self.seen += 1
        if self.seen != self.index + 1:
            return [message]
        payload = message.payload
        if self.change == "flip":
            number = int.from_bytes(payload, "little") ^ 1 << self.bit % (8 * len(payload))
            return [replace(message, payload=number.to_bytes(len(payload), "little"))]
        return {
            "drop": [],
            "truncate": [replace(message, payload=payload[:-1])],
            "extend": [replace(message, payload=payload + payload[-1:])],
            "replay": [message, message],
        }[self.change]


def check_detected(error: MisbehaviourError, messages: Sequence[Message], index: int) -> None:
    """The error names a step that does not end before the change, and an honest helper noticed."""
    changed = messages[index]
    assert last_index(messages, error.step) >= index, (error.step, changed)
    assert set(error.detected_by) - {changed.sender}, (error, changed)
    assert str(error).startswith(error.step)


class MaliciousSimulation:
    """A simulated network that checks its products, with a transcript and clients' randomness."""

    def __init__(
        self,
        seed: int,
        check_rules: CheckRules | None = None,
        interceptors: Iterable[Interceptor] = (),
        attack: Attack | None = None,
    ) -> None:
        self.transcript = Transcript()
        all_interceptors: list[Interceptor] = [*interceptors, self.transcript]
        self.network = simulated_network(
            seed, all_interceptors, security="malicious", check_rules=check_rules
        )
        self.log = self.network.products
        self.randomness = Randomness.from_seed(seed, "client shares")
        if attack is not None:
            corrupt(self.network, attack, seed)

    def bits(self, values: Sequence[int], width: int) -> SharedBits:
        return share_rows(self.network.name, values, width, self.randomness)

    def numbers(self, ring: Ring, values: Sequence[int]) -> SharedElements:
        return share_elements(self.network.name, ring, values, self.randomness)

    def query(self, events: Sequence[Event], parameters: QueryParameters) -> SharedBits:
        return query(
            self.network,
            share_events(self.network.name, events, parameters, self.randomness),
            parameters,
        )

    def finish(self) -> None:
        """Check what is pending; every product was then checked once."""
        check_products(self.network)
        assert self.log.gates_made == self.log.gates_checked
        assert self.log.elements_made == self.log.elements_checked


def corrupt(network: HelperPartyNetwork, attack: Attack, seed: int) -> None:
    """Give the corrupted helper of a simulation the attack's pairwise randomness."""
    honest = network.parties[attack.helper]
    prss = attack.prss(pairwise_keys(seed)[attack.helper]).for_session(network.name)
    network.parties[attack.helper] = replace(honest, prss=prss)


class ErringPrss(Prss):
    """Adds chosen errors to what a helper draws in steps that match a pattern.

    An error in a zero share is an error in the helper's summand, both sent and kept.
    """

    __slots__ = ("columns", "elements", "pattern", "shares")

    def __init__(
        self,
        keys: tuple[bytes, bytes],
        pattern: str,
        columns: Columns | None = None,
        elements: list[int] | None = None,
        shares: tuple[list[int], list[int]] | None = None,
    ) -> None:
        super().__init__(*keys)
        self.pattern = pattern
        self.columns = columns
        self.elements = elements
        self.shares = shares

    def zero_columns(self, step: str, width: int, rows: int, index: int = 0) -> Columns:
        drawn = super().zero_columns(step, width, rows, index)
        if self.columns is None or not fnmatchcase(step, self.pattern):
            return drawn
        errors = [*self.columns, *[0] * width][:width]
        return [a ^ b for a, b in zip(drawn, errors, strict=True)]

    def zero_elements(self, step: str, ring: Ring, count: int, index: int = 0) -> list[int]:
        drawn = super().zero_elements(step, ring, count, index)
        if self.elements is None or not fnmatchcase(step, self.pattern):
            return drawn
        return _plus(ring, drawn, self.elements)

    def random_elements(
        self, step: str, ring: Ring, count: int, index: int = 0
    ) -> tuple[list[int], list[int]]:
        own, right = super().random_elements(step, ring, count, index)
        if self.shares is None or not fnmatchcase(step, self.pattern):
            return own, right
        return _plus(ring, own, self.shares[0]), _plus(ring, right, self.shares[1])


def _plus(ring: Ring, drawn: list[int], errors: list[int]) -> list[int]:
    padded = [*errors, *[0] * len(drawn)][: len(drawn)]
    return list(map(ring.add, drawn, padded))


def column_errors(helper: int, pattern: str, columns: Columns) -> Attack:
    """Add these columns to the helper's summand of every product in matching steps."""
    return Attack(helper, prss=lambda keys: ErringPrss(keys, pattern, columns=columns))


def element_errors(helper: int, pattern: str, elements: list[int]) -> Attack:
    """Add these elements to the helper's summand wherever matching steps draw a sharing of zero."""
    return Attack(helper, prss=lambda keys: ErringPrss(keys, pattern, elements=elements))


def share_errors(helper: int, pattern: str, own: list[int], right: list[int]) -> Attack:
    """Use other shares of the random values drawn in matching steps."""
    return Attack(helper, prss=lambda keys: ErringPrss(keys, pattern, shares=(own, right)))


def raised(run: Callable[[], object]) -> MisbehaviourError | None:
    """The MisbehaviourError that `run` raises, or None when it raises nothing."""
    try:
        run()
    except MisbehaviourError as error:
        return error
    return None


@st.composite
def tiny_queries(draw: st.DrawFn, max_events: int = 5) -> tuple[list[Event], QueryParameters]:
    """Few events in fields of a few bits: a whole malicious query in a fraction of a second."""
    parameters = QueryParameters(
        breakdowns=draw(st.integers(1, 3)),
        cap=draw(st.integers(1, 9)),
        capping=draw(st.sampled_from(CAPPINGS)),
        aggregate=draw(st.sampled_from(["sum", "count"])),
        match_key_bits=draw(st.integers(1, 3)),
        attribution_constraint_id_bits=draw(st.integers(1, 2)),
        timestamp_bits=draw(st.integers(1, 3)),
        value_bits=draw(st.integers(1, 3)),
    )
    count = draw(st.sampled_from([0, 1, 2, 3]) | st.integers(0, max_events))
    return draw(events_within(parameters, count)), parameters

"""The helper party network: up to three local helper parties, the step they are in, what it cost.

In a simulation all three helpers are local and run in lockstep: every local helper sends, then every
local helper receives. In a deployment each process has one local helper and the same functions run
unchanged. Steps are named by a path such as `query/sort/stage-17/compare`, which keys the PRSS and
labels messages and costs; entering the same path again appends `#2`, `#3`, so that no randomness is
ever drawn twice.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from types import TracebackType
from typing import Protocol, TypeVar

from ipa.channel import (
    ABORT,
    Channel,
    InMemoryChannel,
    InterceptedChannel,
    Interceptor,
    Message,
    expected_message,
    in_memory_channels,
)
from ipa.costs import Cost
from ipa.errors import ChannelError, MisbehaviourError, MismatchError, ParameterError
from ipa.parties import HELPERS, left_of, right_of
from ipa.products import ProductLog
from ipa.sharing.prss import KEY_BYTES, Prss

Value = TypeVar("Value")


class Shared(Protocol):
    """Any shared value: it names the network it belongs to."""

    @property
    def network(self) -> str:
        """The name of the network."""


@dataclass(frozen=True)
class HelperParty:
    """One helper party: its number (1 to 3), its PRSS keys and its end of the channel."""

    number: int
    prss: Prss
    channel: Channel

    def __repr__(self) -> str:
        return f"<HelperParty H{self.number}>"


class HelperPartyNetwork:
    """The helpers that run here, with the path of the current step and the costs so far.

    `name` identifies the network in this run: shared values of different networks never mix, and all
    randomness depends on it, so it must be new for every run of the same helpers. `on_step`, if
    given, is called with the path of every step that begins (progress). A network with `products`
    is malicious-secure: it keeps every product there until it is checked.
    """

    def __init__(
        self,
        name: str,
        helpers: Iterable[HelperParty],
        on_step: Callable[[str], None] | None = None,
        products: ProductLog | None = None,
    ) -> None:
        self.name = name
        self.helpers = {
            helper.number: replace(helper, prss=helper.prss.for_session(name)) for helper in helpers
        }
        if not self.helpers or not set(self.helpers) <= set(HELPERS):
            raise ParameterError("a network has one to three local helpers, numbered 1 to 3")
        self.products = products
        self.costs: dict[str, Cost] = {}
        self.path = ""
        self.aborted = False
        self._on_step = on_step
        self._times_entered: dict[str, int] = {}
        self._nested_seconds = 0.0

    def __repr__(self) -> str:
        local = ", ".join(f"H{number}" for number in self.helpers)
        return f"<HelperPartyNetwork {self.name}: local helpers {local}>"

    @property
    def in_lockstep(self) -> bool:
        """Whether all three helpers are local and take each step at the same time."""
        return len(self.helpers) == len(HELPERS)

    def step(self, name: str, *, on_top: bool = False) -> "Step":
        """A context in which the current step is `name` below the step it is entered from.

        With `on_top` it stands by itself, so that its costs are not those of the step around it.
        """
        return Step(self, name, on_top)

    def check_owns(self, value: "Shared") -> None:
        """Raise MismatchError when `value` is shared among the helpers of another network."""
        if value.network != self.name:
            raise MismatchError(f"networks differ: {value.network} and {self.name}")

    @property
    def cost(self) -> Cost:
        """The costs of the current step, to be added to."""
        cost = self.costs.get(self.path)
        if cost is None:
            cost = self.costs[self.path] = Cost()
        return cost

    def send_left(self, payloads: Mapping[int, bytes], size: int) -> dict[int, bytes]:
        """Each local helper sends its payload to its left neighbour. One round.

        Returns what each local helper received from its right neighbour, `size` bytes each. Raises
        ChannelError when a message is not the expected one.
        """
        self._send(payloads, left_of)
        self.cost.rounds += 1
        return self._receive(right_of, size)

    @property
    def hands_over(self) -> bool:
        """Whether a value may reach a neighbour as it is, since nobody could see the bytes.

        So it is when all helpers are in this process, in lockstep, and nothing listens between them.
        """
        return self.in_lockstep and all(
            isinstance(party.channel, InMemoryChannel) for party in self.helpers.values()
        )

    def hand_left(self, values: Mapping[int, Value], size: int) -> dict[int, Value]:
        """What send_left does with the values' encodings of `size` bytes, without encoding them.

        Only for a network that hands over. It counts as the same messages.
        """
        cost = self.cost
        cost.rounds += 1
        cost.messages += len(values)
        cost.bytes_sent += size * len(values)
        return {helper: values[right_of(helper)] for helper in self.helpers}

    def exchange(
        self, to_left: Mapping[int, bytes], to_right: Mapping[int, bytes], size: int
    ) -> tuple[dict[int, bytes], dict[int, bytes]]:
        """Each local helper sends to both neighbours. One round.

        Returns what each local helper received from its right and from its left neighbour, `size`
        bytes each. Raises ChannelError when a message is not the expected one.
        """
        self._send(to_left, left_of)
        self._send(to_right, right_of)
        self.cost.rounds += 1
        return self._receive(right_of, size), self._receive(left_of, size)

    def announce_abort(self) -> None:
        """Tell the other helpers that the local ones abort; one that has gone keeps no one from it."""
        for number, helper in self.helpers.items():
            for other in (left_of(number), right_of(number)):
                with suppress(ChannelError):
                    helper.channel.send(Message(ABORT, number, other, b""))

    def _send(self, payloads: Mapping[int, bytes], neighbour: Callable[[int], int]) -> None:
        cost = self.cost
        for number, helper in self.helpers.items():
            payload = payloads[number]
            cost.bytes_sent += len(payload)
            cost.messages += 1
            helper.channel.send(Message(self.path, number, neighbour(number), payload))

    def _receive(self, neighbour: Callable[[int], int], size: int) -> dict[int, bytes]:
        received: dict[int, bytes] = {}
        failures: list[MisbehaviourError] = []
        for number, helper in self.helpers.items():
            try:
                received[number] = expected_message(
                    helper.channel, self.path, neighbour(number), number, size
                )
            except MisbehaviourError as failure:
                failures.append(failure)
        raise_together(failures)
        return received


def raise_together(failures: list[MisbehaviourError]) -> None:
    """Raise the first of the failures, as detected by every helper that detected one, if any."""
    if failures:
        first = failures[0]
        detected_by = [number for failure in failures for number in failure.detected_by]
        raise type(first)(first.step, first.problem, detected_by) from first


class Step:
    """The context manager behind HelperPartyNetwork.step; `as` gives the unique path."""

    __slots__ = ("_name", "_nested_before", "_network", "_on_top", "_parent", "_started")

    def __init__(self, network: HelperPartyNetwork, name: str, on_top: bool) -> None:
        self._network = network
        self._name = name
        self._on_top = on_top

    def __enter__(self) -> str:
        network = self._network
        if network.aborted:
            raise MisbehaviourError(self._name, "the network has aborted and takes no more steps")
        self._parent = network.path
        nested = network.path and not self._on_top
        path = f"{network.path}/{self._name}" if nested else self._name
        times = network._times_entered.get(path, 0) + 1
        network._times_entered[path] = times
        network.path = path if times == 1 else f"{path}#{times}"
        if network._on_step is not None:
            network._on_step(network.path)
        self._nested_before = network._nested_seconds
        network._nested_seconds = 0.0
        self._started = perf_counter()
        return network.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        network = self._network
        elapsed = perf_counter() - self._started
        network.cost.seconds += elapsed - network._nested_seconds
        network._nested_seconds = self._nested_before + elapsed
        network.path = self._parent


def pairwise_keys(seed: int | None = None) -> dict[int, tuple[bytes, bytes]]:
    """The PRSS keys (k_i, k_(i+1)) of each helper: fresh, or derived from a seed for repeatable runs.

    In a deployment each pair of helpers agrees on its key; here one place deals them.
    """
    if seed is None:
        keys = {helper: os.urandom(KEY_BYTES) for helper in HELPERS}
    elif seed < 0:
        raise ParameterError(f"a seed must be a non-negative integer, not {seed}")
    else:
        keys = {
            helper: hashlib.sha256(f"ipa pairwise key {helper} {seed}".encode()).digest()
            for helper in HELPERS
        }
    return {helper: (keys[helper], keys[right_of(helper)]) for helper in HELPERS}


def simulated_network(
    seed: int | None = None,
    interceptors: Iterable[Interceptor] = (),
    on_step: Callable[[str], None] | None = None,
    products: ProductLog | None = None,
) -> HelperPartyNetwork:
    """Three helper parties in this process, connected in memory and run in lockstep.

    A `seed` makes the run reproducible bit for bit (and its randomness predictable: for tests and
    teaching). `interceptors` see every message. With `products` it is malicious-secure.
    """
    interceptors = tuple(interceptors)
    channels = in_memory_channels()
    keys = pairwise_keys(seed)
    name = f"simulation-{secrets.token_hex(4) if seed is None else seed}"
    return HelperPartyNetwork(
        name,
        [
            HelperParty(
                number,
                Prss(*keys[number]),
                InterceptedChannel(channels[number], interceptors)
                if interceptors
                else channels[number],
            )
            for number in HELPERS
        ],
        on_step,
        products,
    )

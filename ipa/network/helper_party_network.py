"""The helper party network: up to three local helper parties, the step they are in, what it cost.

In a simulation all three helpers are local and run in lockstep: every local helper sends, then every
local helper receives. In a deployment each process has one local helper and the same functions run
unchanged. Steps are named by a path such as `query/sort/stage-17/compare`, which keys the PRSS and
labels messages and costs; entering the same path again appends `#2`, `#3`, so that no randomness is
ever drawn twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from types import TracebackType
from typing import Protocol, TypeVar, get_args

from ipa.display.network import network_html
from ipa.errors import ChannelError, MisbehaviourError, MismatchError, ParameterError
from ipa.network.channel import ABORT, InMemoryChannel, Message, receive_expected
from ipa.network.costs import Cost, Costs
from ipa.network.helper_party import HelperParty as HelperParty
from ipa.network.product_log import CheckRules, ProductLog
from ipa.network.trace import TracedValue
from ipa.parameters import Security
from ipa.parties import HELPERS, left_of, right_of
from ipa.sharing.shared_bits import SharedBits

Route = tuple[int, int]
"""From which helper party to which a message goes."""

Value = TypeVar("Value")


class Shared(Protocol):
    """Any shared value: it names the network it belongs to."""

    @property
    def network_name(self) -> str:
        """The name of the network."""


class HelperPartyNetwork:
    """The helpers that run here, with the path of the current step and the costs so far.

    `name` identifies the network in this run: shared values of different networks never mix, and all
    randomness depends on it, so it must be new for every run of the same helpers. `parties` are the
    local helper parties, by helper. `security` says against what one corrupted helper may do: a
    malicious-secure network keeps every product in `products` until it is checked, by
    `check_rules`. `on_step`, if given, is called with the path of every step that begins (progress).
    `on_value`, if given, is handed the values between the steps, as the local helpers hold them (`Trace`).
    `executor`, if given, does local work: its workers see what the local helpers hold.

    Raises: ParameterError for a name that is no text, for an unknown security, and unless there are one
        to three local helpers; RandomnessReuseError for a name that a run under the same keys has had in
        this process.
    """

    def __init__(
        self,
        name: str,
        parties: Iterable[HelperParty],
        *,
        security: Security = "semi-honest",
        check_rules: CheckRules | None = None,
        on_step: Callable[[str], None] | None = None,
        on_value: Callable[[TracedValue], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise ParameterError(f"name must be text, not a {type(name).__name__}")
        if security not in get_args(Security):
            raise ParameterError(
                f"security must be one of {', '.join(get_args(Security))}, not {security!r}"
            )
        self.name = name
        self.parties = {
            party.helper: replace(party, prss=party.prss.for_session(name)) for party in parties
        }
        if not self.parties or not set(self.parties) <= set(HELPERS):
            raise ParameterError("a network has one to three local helpers, numbered 1 to 3")
        self.is_malicious_secure = security == "malicious"
        self.products = ProductLog(self.is_malicious_secure, check_rules or CheckRules())
        self.costs: dict[str, Cost] = Costs()
        self.path = ""
        self.aborted = False
        self._on_step = on_step
        self._on_value = on_value
        self.executor = executor
        self._times_entered: dict[str, int] = {}
        self._nested_seconds = 0.0

    def __repr__(self) -> str:
        local = ", ".join(f"H{helper}" for helper in self.parties)
        security = "malicious" if self.is_malicious_secure else "semi-honest"
        return f"<HelperPartyNetwork {self.name}: local helpers {local}, {security} security>"

    def _repr_html_(self) -> str:
        return network_html(repr(self)[1:-1], self.helpers, self.path, self.products, self.costs)

    @property
    def helpers(self) -> tuple[int, ...]:
        """The local helpers."""
        return tuple(self.parties)

    @property
    def in_lockstep(self) -> bool:
        """Whether all three helpers are local and take each step at the same time."""
        return len(self.helpers) == len(HELPERS)

    def step(self, name: str, *, top_level: bool = False) -> "Step":
        """A context in which the current step is `name` below the step it is entered from.

        With `top_level` it stands by itself, so that its costs are not those of the step around it.

        Raises: MisbehaviourError when it is entered after the network has aborted.
        """
        return Step(self, name, top_level)

    @property
    def is_traced(self) -> bool:
        """Whether somebody asked for the values between the steps: else there is no need to make any."""
        return self._on_value is not None

    def trace(self, **values: SharedBits) -> None:
        """Hand out values of the current step, by name, to whoever asked for them. Nothing is sent."""
        if self._on_value is not None:
            for name, value in values.items():
                self._on_value(TracedValue(self.path, name, value))

    def check_owns(self, value: "Shared") -> None:
        """Check that `value` is shared among the helpers of this network.

        Raises: MismatchError when it is shared among those of another.
        """
        if value.network_name != self.name:
            raise MismatchError(f"networks differ: {value.network_name} and {self.name}")

    @property
    def cost(self) -> Cost:
        """The costs of the current step, to be added to."""
        cost = self.costs.get(self.path)
        if cost is None:
            cost = self.costs[self.path] = Cost()
        return cost

    def send_left(self, payloads: Mapping[int, bytes], size: int) -> dict[int, bytes]:
        """Each local helper sends its payload to its left neighbour.

        Returns what each local helper received from its right neighbour, `size` bytes each.

        Cost: one round; the payload, for each helper.
        Raises: ChannelError when a message is not the expected one.
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
            isinstance(party.channel, InMemoryChannel) for party in self.parties.values()
        )

    def hand_left(self, values: Mapping[int, Value], size: int) -> dict[int, Value]:
        """What send_left does with the values' encodings of `size` bytes, without encoding them.

        Only for a network that hands over.

        Cost: that of the same messages.
        """
        cost = self.cost
        cost.rounds += 1
        cost.messages += len(values)
        cost.bytes_sent += size * len(values)
        return {helper: values[right_of(helper)] for helper in self.helpers}

    def exchange(
        self, to_left: Mapping[int, bytes], to_right: Mapping[int, bytes], size: int
    ) -> tuple[dict[int, bytes], dict[int, bytes]]:
        """Each local helper sends to both neighbours.

        Returns what each local helper received from its right and from its left neighbour, `size`
        bytes each.

        Cost: one round; both payloads, for each helper.
        Raises: ChannelError when a message is not the expected one.
        """
        self._send(to_left, left_of)
        self._send(to_right, right_of)
        self.cost.rounds += 1
        return self._receive(right_of, size), self._receive(left_of, size)

    def send_along(
        self, routes: Sequence[Route], payloads: Mapping[Route, bytes], size: int
    ) -> dict[Route, bytes]:
        """One message along each of `routes`, (sender, receiver), the same ones for all. One round.

        `payloads` has those of the local senders. Returns what local helpers received, `size` bytes
        each. Raises ChannelError when a message is not the expected one.
        """
        for sender, receiver in routes:
            if sender in self.helpers:
                self._send_one(sender, receiver, payloads[sender, receiver])
        self.cost.rounds += 1
        expected = [(sender, receiver) for sender, receiver in routes if receiver in self.helpers]
        return self._receive_along(expected, size)

    def announce_abort(self) -> None:
        """Tell the other helpers that the local ones abort; one that has gone keeps no one from it."""
        for helper, party in self.parties.items():
            for other in (left_of(helper), right_of(helper)):
                with suppress(ChannelError):
                    party.channel.send(Message(ABORT, helper, other, b""))

    def _send(self, payloads: Mapping[int, bytes], neighbour: Callable[[int], int]) -> None:
        for helper in self.helpers:
            self._send_one(helper, neighbour(helper), payloads[helper])

    def _send_one(self, sender: int, receiver: int, payload: bytes) -> None:
        cost = self.cost
        cost.bytes_sent += len(payload)
        cost.messages += 1
        self.parties[sender].channel.send(Message(self.path, sender, receiver, payload))

    def _receive(self, neighbour: Callable[[int], int], size: int) -> dict[int, bytes]:
        received = self._receive_along(
            [(neighbour(helper), helper) for helper in self.helpers], size
        )
        return {receiver: payload for (_, receiver), payload in received.items()}

    def _receive_along(self, routes: Iterable[Route], size: int) -> dict[Route, bytes]:
        received: dict[Route, bytes] = {}
        failures: list[MisbehaviourError] = []
        for sender, receiver in routes:
            channel = self.parties[receiver].channel
            try:
                received[sender, receiver] = receive_expected(
                    channel, self.path, sender, receiver, size
                )
            except MisbehaviourError as failure:
                failures.append(failure)
        raise_together(failures)
        return received


def raise_together(failures: Sequence[MisbehaviourError]) -> None:
    """Raise the failures as one: the first, as noticed by every helper that noticed one.

    Raises: the first failure; nothing when there is none.
    """
    if failures:
        first = failures[0]
        detected_by = [helper for failure in failures for helper in failure.detected_by]
        raise type(first)(first.step, first.problem, detected_by) from first


class Step:
    """The context manager behind HelperPartyNetwork.step; `as` gives the unique path."""

    __slots__ = ("_name", "_nested_before", "_network", "_parent", "_started", "_top_level")

    def __init__(self, network: HelperPartyNetwork, name: str, top_level: bool) -> None:
        self._network = network
        self._name = name
        self._top_level = top_level

    def __enter__(self) -> str:
        network = self._network
        if network.aborted:
            raise MisbehaviourError(self._name, "the network has aborted and takes no more steps")
        self._parent = network.path
        nested = network.path and not self._top_level
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

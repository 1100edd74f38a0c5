"""The attack laboratory: corrupt one helper party, run a query, see who detects what.

A helper is corrupted by what happens to its messages (an interceptor from `tamper`) or by how it
behaves (`add_error`, `use_other_keys`, `feed_other_input`). `run_attack` runs a query in lockstep
and `run_attack_in_threads` with every helper in a thread of its own; both report instead of raise.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

from ipa.errors import MisbehaviourError, ParameterError
from ipa.events import Event
from ipa.network.channel import Message, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel
from ipa.network.simulation import own_randomness, pairwise_keys, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.query import query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.bits import Columns
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import KEY_BYTES, Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair, SharedBits

Change = Literal["flip", "drop", "truncate", "extend", "replay", "delay"]


class Tampering:
    """An interceptor that changes the messages of one helper in steps that match a pattern.

    `pattern` is a shell pattern for the step's path, `receiver` None for both receivers (lying the
    same way to both). `flip` inverts bit `bit` (modulo the length); `truncate` and `extend` take
    away or add a byte; `replay` sends the message twice; `delay` sends it after the next one to the
    same receiver. `tampered` counts the messages changed.
    """

    def __init__(
        self,
        helper: int,
        pattern: str,
        change: Change,
        *,
        receiver: int | None = None,
        bit: int = 0,
    ) -> None:
        self.helper = helper
        self.pattern = pattern
        self.change = change
        self.receiver = receiver
        self.bit = bit
        self.tampered = 0
        self._held: dict[int, Message] = {}

    def __call__(self, message: Message) -> Iterable[Message]:
        """The messages to deliver instead of `message`."""
        held = self._held.pop(message.receiver, None) if message.sender == self.helper else None
        if not self._is_target(message):
            return (message,) if held is None else (message, held)
        self.tampered += 1
        if self.change == "delay":
            self._held[message.receiver] = message
            return () if held is None else (held,)
        return self._changed(message)

    def _is_target(self, message: Message) -> bool:
        return (
            message.sender == self.helper
            and (message.payload or self.change not in ("flip", "truncate"))
            and self.receiver in (None, message.receiver)
            and fnmatchcase(message.step, self.pattern)
        )

    def _changed(self, message: Message) -> Iterable[Message]:
        payload = message.payload
        if self.change == "drop":
            return ()
        if self.change == "replay":
            return (message, message)
        if self.change == "truncate":
            return (replace(message, payload=payload[:-1]),)
        if self.change == "extend":
            return (replace(message, payload=payload + b"\x00"),)
        bit = self.bit % (8 * len(payload))
        changed = bytearray(payload)
        changed[bit // 8] ^= 1 << bit % 8
        return (replace(message, payload=bytes(changed)),)


class _ErringPrss(Prss):
    """PRSS of a helper that adds an error to its summand of some products."""

    __slots__ = ("_pattern",)

    def __init__(self, keys: tuple[bytes, bytes], pattern: str) -> None:
        super().__init__(*keys)
        self._pattern = pattern

    def zero_columns(self, step: str, width: int, rows: int, index: int = 0) -> Columns:
        """The summand of zero, with bit 0 of the first column inverted in steps that match."""
        columns = super().zero_columns(step, width, rows, index)
        if columns and rows and fnmatchcase(step, self._pattern):
            columns[0] ^= 1
        return columns


@dataclass(frozen=True)
class Attack:
    """One corrupted helper and what it does; what is left out it does honestly.

    `tampering` changes its messages, `prss` makes its pairwise randomness from its keys, `inputs`
    changes the shares it starts from.
    """

    helper: int
    tampering: Tampering | None = None
    prss: Callable[[tuple[bytes, bytes]], Prss] = field(default=lambda keys: Prss(*keys))
    inputs: Callable[[GenericReports], GenericReports] = field(default=lambda reports: reports)

    def __post_init__(self) -> None:
        if self.helper not in HELPERS:
            raise ParameterError(f"the corrupted helper must be 1, 2 or 3, not {self.helper!r}")


def tamper(
    helper: int, pattern: str, change: Change, *, receiver: int | None = None, bit: int = 0
) -> Attack:
    """Change the messages `helper` sends in steps that match `pattern`; see Tampering."""
    return Attack(helper, Tampering(helper, pattern, change, receiver=receiver, bit=bit))


def add_error(helper: int, pattern: str) -> Attack:
    """Add an error to every product in steps that match `pattern`, in what is sent and in what is kept."""
    return Attack(helper, prss=lambda keys: _ErringPrss(keys, pattern))


def use_other_keys(helper: int) -> Attack:
    """Use a pairwise key of its own in place of the one shared with the right neighbour."""
    return Attack(helper, prss=lambda keys: Prss(keys[0], os.urandom(KEY_BYTES)))


def feed_other_input(helper: int) -> Attack:
    """Start from other shares of the match keys than those received."""

    def change(reports: GenericReports) -> GenericReports:
        def inverted(pair: ColumnPair) -> ColumnPair:
            return [pair[0][0] ^ 1, *pair[0][1:]], pair[1]

        keys = reports.match_key
        shares = {
            holder: inverted(keys.shares_of(holder)) if holder == helper else keys.shares_of(holder)
            for holder in keys.holders
        }
        return replace(
            reports, match_key=SharedBits(keys.network_name, keys.rows, keys.width, shares)
        )

    return Attack(helper, inputs=change)


@dataclass(frozen=True)
class AttackReport:
    """What became of an attacked query.

    `outcome` is `aborted` when no result came out, `released` when one did, which is right if
    `result_is_right`. `errors` gives the error of each honest helper that aborted, `step` the step
    named in the first, `detected_by` the honest helpers that noticed it themselves. `tampered` is
    the number of messages that were changed: 0 says that a pattern matched nothing.

    In lockstep both honest helpers always abort together. In threads a helper to which the very last
    message lies aborts alone: the report collector, who needs the shares of all, gets no result.
    """

    outcome: Literal["aborted", "released"]
    step: str
    detected_by: tuple[int, ...]
    errors: dict[int, MisbehaviourError] = field(repr=False)
    result_is_right: bool | None = None
    tampered: int = 0


def run_attack(
    events: Sequence[Event], parameters: QueryParameters, attack: Attack, seed: int | None = None
) -> AttackReport:
    """Run a query in lockstep with one corrupted helper, with a `seed` always the same one."""
    seed = secrets.randbits(64) if seed is None else seed
    network = simulated_network(
        seed, [attack.tampering] if attack.tampering else (), security=parameters.security
    )
    keys = pairwise_keys(seed)
    corrupted = network.parties[attack.helper]
    prss = attack.prss(keys[attack.helper]).for_session(network.name)
    network.parties[attack.helper] = replace(corrupted, prss=prss)
    reports = _shared(network.name, events, parameters, seed)
    try:
        result = query(network, attack.inputs(reports), parameters)
        sums = _combined(shares_for_collector(network, result), parameters)
    except MisbehaviourError as error:
        honest = [helper for helper in HELPERS if helper != attack.helper]
        return _aborted(dict.fromkeys(honest, error), attack)
    return _released(sums == _right_sums(network.name, events, parameters, seed), attack)


def run_attack_in_threads(
    events: Sequence[Event],
    parameters: QueryParameters,
    attack: Attack,
    seed: int | None = None,
    timeout: float = 2.0,
) -> AttackReport:
    """Run a query with every helper in its own thread and network, one of them corrupted.

    A message that does not come within `timeout` seconds is missing.
    """
    seed = secrets.randbits(64) if seed is None else seed
    name, keys, channels = "threads", pairwise_keys(seed), in_memory_channels(timeout)
    reports = _shared(name, events, parameters, seed)
    errors: dict[int, MisbehaviourError] = {}
    results: dict[int, ColumnPair] = {}
    faults: list[Exception] = []

    def run(helper: int) -> None:
        corrupted, channel = helper == attack.helper, channels[helper]
        if corrupted and attack.tampering:
            channel = InterceptedChannel(channel, [attack.tampering])
        prss = attack.prss(keys[helper]) if corrupted else Prss(*keys[helper])
        party = HelperParty(helper, prss, channel, own_randomness(helper, seed))
        network = HelperPartyNetwork(name, [party], security=parameters.security)
        mine = _only(attack.inputs(reports) if corrupted else reports, helper)
        try:
            results.update(shares_for_collector(network, query(network, mine, parameters)))
        except MisbehaviourError as error:
            errors[helper] = error
        except Exception as fault:  # a thread cannot raise: its maker does, below
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    honest = {helper: error for helper, error in errors.items() if helper != attack.helper}
    if honest:
        return _aborted(honest, attack)
    try:
        sums = _combined(results, parameters)
    except MisbehaviourError as error:
        return AttackReport("aborted", error.step, error.detected_by, {}, None, _count(attack))
    return _released(sums == _right_sums(name, events, parameters, seed), attack)


def _combined(pairs: Mapping[int, ColumnPair], parameters: QueryParameters) -> list[int]:
    return combine_at_collector(pairs, parameters.breakdowns, signed=parameters.epsilon is not None)


def _right_sums(
    name: str, events: Sequence[Event], parameters: QueryParameters, seed: int
) -> list[int]:
    """The exact sums; where they are noisy, what honest helpers release from the same randomness."""
    if parameters.epsilon is None:
        return query_in_steps(events, parameters)
    parties = simulated_network(seed).parties.values()
    network = HelperPartyNetwork(name, parties, security=parameters.security)
    honest = query(network, _shared(name, events, parameters, seed), parameters)
    return _combined(shares_for_collector(network, honest), parameters)


def _released(is_right: bool, attack: Attack) -> AttackReport:
    return AttackReport("released", "", (), {}, is_right, _count(attack))


def _count(attack: Attack) -> int:
    return attack.tampering.tampered if attack.tampering else 0


def _aborted(errors: dict[int, MisbehaviourError], attack: Attack) -> AttackReport:
    noticed = {helper for error in errors.values() for helper in error.detected_by}
    first = next(iter(errors.values()))
    detected_by = tuple(sorted(noticed - {attack.helper}))
    return AttackReport("aborted", first.step, detected_by, errors, None, _count(attack))


def _shared(
    network: str, events: Sequence[Event], parameters: QueryParameters, seed: int
) -> GenericReports:
    return share_events(network, events, parameters, Randomness.from_seed(seed, "client shares"))


def _only(reports: GenericReports, helper: int) -> GenericReports:
    return GenericReports(*(only_helper(field, helper) for field in reports.fields))

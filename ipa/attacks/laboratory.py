"""Runs of a query in which one helper party is corrupted, and what became of them."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ipa.attacks.corruption import Attack, honest_prss
from ipa.display.attacks import attack_html
from ipa.errors import MisbehaviourError, ParameterError
from ipa.events import Event, check_events, listed_events
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel
from ipa.network.simulation import own_randomness, pairwise_keys, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.query import query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair

Outcome = Literal["aborted", "released"]


class _Running:
    """An attack during one run: what it does, and how often it has done it."""

    def __init__(self, attack: Attack, keys: tuple[bytes, bytes]) -> None:
        self.attack = attack
        self.tampering = attack.tampering.afresh() if attack.tampering else None
        self.prss = attack.prss(keys)
        self._changed_inputs = 0

    def inputs(self, reports: GenericReports) -> GenericReports:
        """What the corrupted helper starts from."""
        changed = self.attack.inputs(reports)
        self._changed_inputs += changed is not reports
        return changed

    def tampered(self) -> int:
        """How often the helper deviated, as far as is known.

        Raises: ParameterError when it is known that it did not, although it was to.
        """
        messages = self.tampering.tampered if self.tampering else 0
        draws = getattr(self.prss, "tampered", 0)
        count = messages + draws + self._changed_inputs
        is_counted = self.attack.prss is honest_prss or hasattr(self.prss, "tampered")
        if count == 0 and is_counted and not self.attack.is_honest:
            raise ParameterError(
                f"the attack changed nothing: H{self.attack.helper} does nothing in this query "
                "that the pattern, receiver and change match"
            )
        return count

    def report(
        self,
        outcome: Outcome,
        step: str,
        detected_by: tuple[int, ...],
        errors: dict[int, MisbehaviourError],
        is_right: bool | None,
    ) -> "AttackReport":
        """What became of the query that was attacked."""
        return AttackReport(
            outcome, step, detected_by, errors, is_right, self.tampered(), self.attack
        )


@dataclass(frozen=True)
class AttackReport:
    """What became of an attacked query.

    `outcome` is `aborted` when no result came out, `released` when one did, which is right if
    `result_is_right`. `errors` gives the error of each honest helper that aborted. `step` is the step
    named in the first of them, or `release` when it was the report collector who got shares that do not
    go together. `detected_by` are the honest helpers that noticed it themselves. The corrupted helper
    runs the checks too, but what it says it noticed is worth nothing: neither `detected_by` nor an
    error's message ever names it. `tampered` is how often the corrupted helper deviated:
    messages changed, products given an error, draws with another key, other input.

    In lockstep both honest helpers always abort together. In threads the very last message can lie to
    one helper, which then aborts alone. The report collector, who needs the shares of all three, gets
    no result.
    """

    outcome: Outcome
    step: str
    detected_by: tuple[int, ...]
    errors: dict[int, MisbehaviourError] = field(repr=False)
    result_is_right: bool | None = None
    tampered: int = 0
    attack: Attack | None = field(default=None, repr=False, compare=False)
    """What was done."""

    def _repr_html_(self) -> str:
        return attack_html(self)


def run_attack(
    events: Iterable[Event], parameters: QueryParameters, attack: Attack, seed: int | None = None
) -> AttackReport:
    """Run a query in lockstep with one corrupted helper, with a `seed` always the same one.

    Cost: that of the query.
    Reveals: the result to the caller, who plays the report collector.
    Raises: ParameterError when the attack changed nothing or is none, EventError for events that are wrong.
    """
    events = _checked(events, parameters, attack)
    seed = secrets.randbits(64) if seed is None else seed
    running = _Running(attack, pairwise_keys(seed)[attack.helper])
    network = simulated_network(
        seed, [running.tampering] if running.tampering else (), security=parameters.security
    )
    corrupted = network.parties[attack.helper]
    network.parties[attack.helper] = replace(corrupted, prss=running.prss.for_session(network.name))
    reports = _shared(network.name, events, parameters, seed)
    try:
        result = query(network, running.inputs(reports), parameters)
    except MisbehaviourError as error:
        honest = [helper for helper in HELPERS if helper != attack.helper]
        return _aborted(dict.fromkeys(honest, error), running)
    right = _right_sums(network.name, events, parameters, seed)
    return _combined(shares_for_collector(network, result), right, parameters, running)


def run_attack_in_threads(
    events: Iterable[Event],
    parameters: QueryParameters,
    attack: Attack,
    seed: int | None = None,
    timeout: float = 2.0,
) -> AttackReport:
    """Run a query with every helper in its own thread and network, one of them corrupted.

    A message that does not come within `timeout` seconds is missing.

    Cost: that of the query.
    Reveals: the result to the caller, who plays the report collector.
    Raises: ParameterError when the attack changed nothing or is none, EventError for events that are wrong.
    """
    events = _checked(events, parameters, attack)
    seed = secrets.randbits(64) if seed is None else seed
    name, keys, channels = "threads", pairwise_keys(seed), in_memory_channels(timeout)
    running = _Running(attack, keys[attack.helper])
    reports = _shared(name, events, parameters, seed)
    errors: dict[int, MisbehaviourError] = {}
    results: dict[int, ColumnPair] = {}

    def run(helper: int) -> None:
        """One helper's query, in its own thread and its own network."""
        corrupted = helper == attack.helper
        channel = channels[helper]
        if corrupted and running.tampering:
            channel = InterceptedChannel(channel, [running.tampering])
        prss = running.prss if corrupted else Prss(*keys[helper])
        party = HelperParty(helper, prss, channel, own_randomness(helper, seed))
        network = HelperPartyNetwork(name, [party], security=parameters.security)
        mine = _only(running.inputs(reports) if corrupted else reports, helper)
        try:
            results.update(shares_for_collector(network, query(network, mine, parameters)))
        except MisbehaviourError as error:
            errors[helper] = error

    _in_threads(run)
    honest = {helper: error for helper, error in errors.items() if helper != attack.helper}
    if honest:
        return _aborted(honest, running)
    right = _right_sums(name, events, parameters, seed)
    return _combined(results, right, parameters, running)


def _checked(events: Iterable[Event], parameters: QueryParameters, attack: Attack) -> list[Event]:
    """The events as a list.

    Raises: ParameterError for what is no attack or are no parameters; EventError for a bad event.
    """
    if not isinstance(attack, Attack):
        raise ParameterError(
            f"an attack is wanted, such as tamper or add_error gives, not a {type(attack).__name__}"
        )
    listed = listed_events(events)
    check_events(listed, parameters)
    return listed


def _in_threads(run: Callable[[int], None]) -> None:
    """Run every helper in its own thread, to the end of all, and raise what one of them raised."""
    faults: list[Exception] = []

    def guarded(helper: int) -> None:
        """`run`, with what it raises kept."""
        try:
            run(helper)
        except Exception as fault:  # a thread cannot raise: its maker does, below
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def _combined(
    pairs: Mapping[int, ColumnPair],
    right: Sequence[int],
    parameters: QueryParameters,
    running: _Running,
) -> AttackReport:
    """What the report collector makes of the shares it got, if they go together."""
    try:
        sums = _sums(pairs, parameters)
    except MisbehaviourError as error:
        return running.report("aborted", error.step, (), {}, None)
    return running.report("released", "", (), {}, sums == right)


def _sums(pairs: Mapping[int, ColumnPair], parameters: QueryParameters) -> list[int]:
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
    return _sums(shares_for_collector(network, honest), parameters)


def _aborted(errors: Mapping[int, MisbehaviourError], running: _Running) -> AttackReport:
    corrupted = running.attack.helper
    told = {}
    for helper, error in errors.items():
        honest = [other for other in error.detected_by if other != corrupted]
        # Its receiver knows who did not send what it should; nobody else can know that it is true.
        problem = error.problem.replace(f"H{corrupted}", "a neighbour")
        told[helper] = type(error)(error.step, problem, honest)
    noticed = {other for error in told.values() for other in error.detected_by}
    step = next(iter(told.values())).step
    return running.report("aborted", step, tuple(sorted(noticed)), told, None)


def _shared(
    network: str, events: Sequence[Event], parameters: QueryParameters, seed: int | None
) -> GenericReports:
    randomness = Randomness.from_seed(seed, "client shares")
    return share_events(network, events, parameters, randomness)


def _only(reports: GenericReports, helper: int) -> GenericReports:
    return GenericReports(*(only_helper(field, helper) for field in reports.fields))

"""Three helper parties apart: one process each on this machine, connected by sockets, plain or TLS.

The process that calls plays the clients, the dealer of keys and the report collector. Each helper's
process is given its own helper's shares, keys and randomness alone. The sockets between them are pairs
that no other process can reach. No process outlives the run: they are killed when it ends with an
error, and end by themselves when the process that started them is gone.
"""

import pickle
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import Empty
from time import monotonic
from typing import Any

from ipa.errors import ChannelError, IpaError, MisbehaviourError, ParameterError
from ipa.network.costs import Cost, costs_of_helpers
from ipa.network.helper_process import Assignment, Failed, Finished, Question, StepBegun
from ipa.network.part import Held, Part
from ipa.network.processes import HelperProcess, Inbox, helper_processes
from ipa.network.sockets import connected_sockets
from ipa.network.tls import fresh_credentials
from ipa.parameters import Security
from ipa.parties import HELPERS

SILENCE_SECONDS = 600.0
"""How long a helper waits for one message: whoever computes at all is faster."""

LAST_WORDS_SECONDS = 5.0
"""How long the others are waited for once a helper has failed: one of them may know better why."""


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """What a helper party is dealt: its PRSS keys, and the key of its own randomness if seeded.

    Keys without a seed are for one run, so its name need not be agreed on to be new.
    """

    prss_keys: tuple[bytes, bytes] = field(repr=False)
    randomness_key: bytes | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of three helper parties: what they do, and with what.

    `part` is a function of a module, for each process to import, and its `public` arguments are the
    same at all helpers. A process that calls one of the `callbacks` waits until all three have called
    it; then it is called once, here, with the arguments of helper 1, and all get what it returns.
    `on_step` is called with every step of helper 1.
    """

    network_name: str
    security: Security
    part: Part[Any]
    held: Held = field(repr=False)
    public: tuple[Any, ...]
    callbacks: Mapping[str, Callable[..., Any]]
    on_step: Callable[[str], None] | None
    dealt: Mapping[int, Dealt]


def run_apart(run: Run, *, tls: bool = False) -> tuple[dict[int, Any], dict[str, Cost]]:
    """Each helper's result of its part, and the costs of all together, as in lockstep.

    With `tls` the helpers know each other by certificates that are made for this run.

    Raises: the error that stopped the first helper, as it would be in lockstep; ChannelError when a
        helper's process ends without one, or says nothing in time. ParameterError where processes
        cannot be started, or `held` or `public` not be handed to them.
    """
    inbox = Inbox()
    with ExitStack() as stack:
        with ExitStack() as sockets:
            ends = connected_sockets()
            for connections in ends.values():
                for connection in connections.values():
                    sockets.enter_context(connection)
            descriptors = {
                helper: {peer: end.fileno() for peer, end in connections.items()}
                for helper, connections in ends.items()
            }
            own = {helper: list(peers.values()) for helper, peers in descriptors.items()}
            processes = stack.enter_context(helper_processes(own, inbox))
        # Now each process alone has its ends: when it is gone, its peers see that.
        for helper, assignment in _assignments(run, descriptors, tls).items():
            _assign(processes[helper], assignment)
        endings = _listen(run, processes, inbox)
        finished = {h: ending for h, ending in endings.items() if isinstance(ending, Finished)}
        if len(finished) < len(HELPERS):
            raise _error(endings, processes)
    results = {helper: finished[helper].result for helper in HELPERS}
    return results, costs_of_helpers([finished[helper].costs for helper in HELPERS])


def _assignments(
    run: Run, descriptors: Mapping[int, Mapping[int, int]], tls: bool
) -> dict[int, Assignment]:
    """What each helper's process is given: nothing that only another helper has."""
    credentials = fresh_credentials(HELPERS) if tls else {}
    return {
        helper: Assignment(
            helper=helper,
            network_name=run.network_name,
            security=run.security,
            part=run.part,
            held=run.held.only(helper),
            public=run.public,
            callbacks=tuple(run.callbacks),
            tells_steps=run.on_step is not None and helper == HELPERS[0],
            prss_keys=run.dealt[helper].prss_keys,
            randomness_key=run.dealt[helper].randomness_key,
            descriptors=descriptors[helper],
            tls=credentials.get(helper),
            timeout=SILENCE_SECONDS,
        )
        for helper in HELPERS
    }


def _assign(process: HelperProcess, assignment: Assignment) -> None:
    try:
        process.tell(assignment)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        problem = f"what helper parties apart are given cannot be handed to a process: {error}"
        raise ParameterError(problem) from error


Ending = Finished | Failed | None
"""How a helper's process ended; None without a word."""


def _listen(run: Run, processes: Mapping[int, HelperProcess], inbox: Inbox) -> dict[int, Ending]:
    """How the processes end; without those that say nothing for long after another has failed."""
    endings: dict[int, Ending] = {}
    asked: dict[int, Question] = {}
    deadline = None
    while len(endings) < len(HELPERS):
        left = None if deadline is None else max(0.0, deadline - monotonic())
        try:
            helper, frame = inbox.get(timeout=left)
        except Empty:
            break
        message = None if frame is None else pickle.loads(frame)
        if isinstance(message, StepBegun):
            if run.on_step is not None:
                run.on_step(message.path)
        elif isinstance(message, Question):
            asked[helper] = message
            if len(asked) == len(HELPERS):
                first = asked[HELPERS[0]]
                answer = run.callbacks[first.callback](*first.arguments)
                for process in processes.values():
                    process.tell(answer)
                asked.clear()
        elif helper not in endings:  # a process also falls silent after its last message
            endings[helper] = message
            if not isinstance(message, Finished) and deadline is None:
                deadline = monotonic() + LAST_WORDS_SECONDS
    return endings


def _error(endings: Mapping[int, Ending], processes: Mapping[int, HelperProcess]) -> BaseException:
    """The error to raise for all: what happened at the helper where it began.

    Elsewhere a helper only misses its messages, or repeats what it was told. Helpers that noticed the
    same are named together.
    """
    errors = {h: ending.error() for h, ending in endings.items() if isinstance(ending, Failed)}
    ranked = sorted(errors, key=lambda helper: (_distance(errors[helper]), helper))
    silent = [helper for helper in HELPERS if endings.get(helper, 0) is None]
    first = errors[ranked[0]] if ranked else None
    if first is None or (silent and _distance(first) > 0):
        noticed = [error for error in errors.values() if isinstance(error, MisbehaviourError)]
        step = noticed[0].step if noticed else "apart"
        problem = f"H{silent[0]} went silent: {processes[silent[0]].ending()}"
        return ChannelError(step, problem, [h for error in noticed for h in error.detected_by])
    if isinstance(first, MisbehaviourError):
        same = [
            error
            for error in errors.values()
            if isinstance(error, type(first))
            and (error.step, error.problem) == (first.step, first.problem)
        ]
        return type(first)(first.step, first.problem, [h for e in same for h in e.detected_by])
    return first


def _distance(error: BaseException) -> int:
    """How far from its cause an error is: there; told by whom it befell; a message that is missing."""
    if isinstance(error, ChannelError):
        return 2
    return int(isinstance(error, IpaError) and error.second_hand)

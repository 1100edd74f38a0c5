"""Any number of workers, each with an end of the channel to every other and randomness of its own.

Halo's workers ("duchies") have roles, so a protocol here is one function over the local workers: each
computes from its own inputs, and what one has of another came through `transfer`. With all workers
local it runs in lockstep; with one per process the same function runs unchanged.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from ipa.display.costs import costs_html
from ipa.errors import ChannelError, MismatchError, ParameterError
from ipa.network.channel import ABORT, Channel, Message, in_memory_channels
from ipa.network.costs import Cost, Costs
from ipa.network.interception import InterceptedChannel, Interceptor
from ipa.sharing.randomness import Randomness

Link = tuple[int, int]
"""Sender and receiver."""


@dataclass(frozen=True)
class Worker:
    """One worker: its number from 1, its end of the channel, its private randomness.

    `drawn` remembers what noise the worker drew, by name: it is the worker's secret, kept for tests
    and teaching.
    """

    number: int
    channel: Channel
    randomness: Randomness
    drawn: dict[str, list[int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Worker W{self.number}>"


class WorkerNetwork:
    """The workers that run here, of `size` in all, with the current step and the costs so far.

    Raises: ParameterError unless there are at least two workers, numbered from 1.
    """

    def __init__(self, workers: Iterable[Worker], size: int) -> None:
        self.workers = {worker.number: worker for worker in workers}
        self.size = size
        if size < 2 or not self.workers or not set(self.workers) <= set(range(1, size + 1)):
            raise ParameterError("a network has at least two workers, numbered from 1")
        self.costs: dict[str, Cost] = Costs()
        self.path = ""

    def __repr__(self) -> str:
        local = ", ".join(f"W{number}" for number in self.workers)
        return f"<WorkerNetwork of {self.size}: local workers {local}>"

    def _repr_html_(self) -> str:
        return costs_html(self.costs, repr(self)[1:-1])

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A context in which messages and seconds belong to the step `name`, below the current one."""
        parent, started = self.path, perf_counter()
        self.path = f"{parent}/{name}" if parent else name
        cost = self.costs.setdefault(self.path, Cost())
        try:
            yield
        finally:
            cost.seconds += perf_counter() - started
            if parent:  # not counted twice
                self.costs[parent].seconds -= perf_counter() - started
            self.path = parent

    def check_size(self, size: int) -> None:
        """Check that the network has `size` workers.

        Raises: MismatchError when it has not.
        """
        if self.size != size:
            raise MismatchError(f"the protocol is for {size} workers, the network has {self.size}")

    def transfer(
        self, links: Collection[Link], payloads: Mapping[Link, bytes], unit: int, count: int | None
    ) -> dict[Link, bytes]:
        """Local senders of `links` send their payloads, local receivers receive. One round.

        A payload is `count` records of `unit` bytes, or any number of them where count is None.
        Returns what local workers received, by link.

        Raises: ChannelError when a message is missing or not the one expected.
        """
        cost = self.costs[self.path]
        cost.rounds += 1
        for link in links:
            sender, receiver = link
            if sender in self.workers:
                payload = payloads[link]
                cost.bytes_sent += len(payload)
                cost.messages += 1
                message = Message(self.path, sender, receiver, payload)
                self.workers[sender].channel.send(message)
        return {link: self._receive(link, unit, count) for link in links if link[1] in self.workers}

    def _receive(self, link: Link, unit: int, count: int | None) -> bytes:
        sender, receiver = link
        message = self.workers[receiver].channel.receive(sender)
        if message is None:
            raise ChannelError(self.path, f"no message from worker {sender}", [receiver])
        if message.step == ABORT:
            raise ChannelError(self.path, f"worker {sender} aborted", [receiver])
        if (message.step, message.sender, message.receiver) != (self.path, *link):
            problem = f"worker {sender} sent a message of another step, {message.step}"
            raise ChannelError(self.path, problem, [receiver])
        size = len(message.payload)
        if size % unit or count not in (None, size // unit):
            problem = f"worker {sender} sent {size} bytes, not records of {unit}"
            if count is not None:
                problem = f"worker {sender} sent {size} bytes instead of {unit * count}"
            raise ChannelError(self.path, problem, [receiver])
        return message.payload


def worker_channels(size: int, timeout: float = 0) -> dict[int, Channel]:
    """The ends of a network of `size` workers in one process, by worker; `timeout` in seconds."""
    return in_memory_channels(timeout, range(1, size + 1))


def simulated_workers(
    size: int = 3, seed: int | None = None, interceptors: Iterable[Interceptor] = ()
) -> WorkerNetwork:
    """A network of `size` workers in this process, in lockstep.

    A `seed` makes the run reproducible (and its randomness predictable: for tests and teaching).
    `interceptors` see every message.

    Raises: ParameterError for fewer than two workers, or a seed that is none.
    """
    interceptors = tuple(interceptors)
    return WorkerNetwork(
        [
            Worker(
                number,
                InterceptedChannel(channel, interceptors) if interceptors else channel,
                Randomness.from_seed(seed, f"halo worker {number}"),
            )
            for number, channel in worker_channels(size).items()
        ],
        size,
    )

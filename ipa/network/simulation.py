"""The simulation: three helper parties in one process, connected in memory and run in lockstep."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from ipa.errors import ParameterError
from ipa.network.channel import in_memory_channels
from ipa.network.costs import Cost
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, intercepted
from ipa.network.part import Held, Part
from ipa.network.product_log import CheckRules
from ipa.network.trace import TracedValue
from ipa.parameters import Security
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.sharing.prss import KEY_BYTES, Prss, ReproducibleKey
from ipa.sharing.randomness import Randomness, stream_key

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a simulated run is done, whatever it computes: the same for every kind of query.

    A `seed` makes the run reproducible bit for bit, and its randomness predictable: for tests and
    teaching. `interceptors` see every message. `on_step` is called with the path of every step that
    begins (progress). `on_value` is handed the values between the steps, still shared (`Trace`). An
    `executor` does local work that is worth it, with the same result: a process pool, or one of a
    cluster. Its workers see the shares that they work on. With `apart` each helper is a process of its
    own on this machine, over sockets, and with `tls` over TLS, by keys made on the spot; what comes out
    is the same, bit for bit.

    Raises: ParameterError for a seed that is no integer of at least 0, for others that are no functions, and
        for options that do not go together.
    """

    seed: int | None = None
    interceptors: Iterable[Interceptor] = ()
    on_step: Callable[[str], None] | None = None
    on_value: Callable[[TracedValue], None] | None = None
    executor: Executor | None = None
    apart: bool = False
    tls: bool = False

    def __post_init__(self) -> None:
        if self.seed is not None:
            check_integer("seed", self.seed, 0)
        given = self.interceptors
        interceptors = tuple(given) if isinstance(given, Iterable) else (None,)
        if not all(map(callable, interceptors)):
            raise ParameterError(
                "interceptors must be a list of functions of a message, such as [Transcript()]"
            )
        if self.on_step is not None and not callable(self.on_step):
            raise ParameterError("on_step must be a function of a step's path, or None")
        # Any iterable is accepted; a frozen dataclass is normalised here.
        object.__setattr__(self, "interceptors", interceptors)
        for name in ("apart", "tls"):
            if not isinstance(getattr(self, name), bool):
                raise ParameterError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.apart and self.interceptors:
            raise ParameterError(
                "interceptors hear what is sent in this process, and not between helpers apart: "
                "leave out interceptors or apart=True"
            )
        if self.apart and self.on_value is not None:
            raise ParameterError(
                "on_value is handed what helpers of this process hold, and not helpers apart: "
                "leave out on_value or apart=True"
            )
        if self.apart and self.executor is not None:
            raise ParameterError(
                "an executor works for helpers of this process, and helpers apart have a process "
                "each: leave out executor or apart=True"
            )
        if self.tls and not self.apart:
            raise ParameterError("tls is for helpers apart: it needs apart=True")

    def new_network(self, security: Security) -> HelperPartyNetwork:
        """A fresh simulated network with these options, in lockstep.

        Raises: ParameterError for helpers apart, which have no network in one process.
        """
        if self.apart:
            raise ParameterError("helpers apart are no simulated network: use RunOptions.run")
        return self._lockstep(new_run_name(self.seed), security)

    def _lockstep(self, name: str, security: Security) -> HelperPartyNetwork:
        return simulated_network(
            self.seed,
            self.interceptors,
            security=security,
            on_step=self.on_step,
            on_value=self.on_value,
            executor=self.executor,
            name=name,
        )

    def run(
        self,
        network_name: str,
        security: Security,
        part: Part[R],
        held: Held,
        *public: object,
        **callbacks: Callable[..., object],
    ) -> tuple[dict[int, R], dict[str, Cost]]:
        """Run `part` at all helpers, in lockstep or apart: its result by helper, and the costs.

        `part(network, held, *public, **callbacks)` does what the local helpers of the network do, with
        what they hold, and is a function of a module. `network_name` is that of `new_run_name`.

        Raises: what the part raises; ChannelError when a helper's process dies or falls silent.
        """
        if not self.apart:
            network = self._lockstep(network_name, security)
            return dict(part(network, held, *public, **callbacks)), network.costs
        # Imported here: a simulation in lockstep need not load what starts processes.
        from ipa.network.apart import Dealt, Run, run_apart

        keys = pairwise_keys(self.seed)
        run = Run(
            network_name=network_name,
            security=security,
            part=part,
            held=held,
            public=public,
            callbacks=callbacks,
            on_step=self.on_step,
            dealt={
                helper: Dealt(prss_keys=keys[helper], randomness_key=own_key(helper, self.seed))
                for helper in HELPERS
            },
        )
        return run_apart(run, tls=self.tls)


DEFAULT_OPTIONS = RunOptions()


def checked_run_options(options: object) -> RunOptions:
    """The options, if they are those of a run, and no dictionary of them.

    Raises: ParameterError for anything else.
    """
    if not isinstance(options, RunOptions):
        raise ParameterError(f"options must be RunOptions, not {type(options).__name__}")
    return options


def pairwise_keys(seed: int | None = None) -> dict[int, tuple[bytes, bytes]]:
    """The PRSS keys (k_i, k_(i+1)) of each helper: fresh, or derived from a seed for repeatable runs.

    In a deployment each pair of helpers agrees on its key; here one place deals them. Under keys from
    a seed the same run may be made again.

    Raises: ParameterError for a seed that is no integer of at least 0.
    """
    if seed is None:
        keys = {helper: os.urandom(KEY_BYTES) for helper in HELPERS}
    else:
        check_integer("seed", seed, 0)
        keys = {
            helper: ReproducibleKey(
                hashlib.sha256(f"ipa pairwise key {helper} {seed}".encode()).digest()
            )
            for helper in HELPERS
        }
    return {helper: (keys[helper], keys[right_of(helper)]) for helper in HELPERS}


def own_randomness(helper: int, seed: int | None = None) -> Randomness:
    """What a helper draws by itself, unknown to the others: fresh, or from a seed for repeatable runs.

    Raises: ParameterError for a seed that is no integer of at least 0.
    """
    return Randomness.from_key(own_key(helper, seed))


def own_key(helper: int, seed: int | None) -> bytes | None:
    """The key of what a helper draws by itself; None without a seed, for the operating system's.

    Raises: ParameterError for a seed that is no integer of at least 0.
    """
    return stream_key(seed, f"own randomness of helper {helper}")


def new_run_name(seed: int | None = None) -> str:
    """A name for a simulated run: new, or that of the seed."""
    return f"simulation-{secrets.token_hex(4) if seed is None else seed}"


def simulated_network(
    seed: int | None = None,
    interceptors: Iterable[Interceptor] = (),
    *,
    security: Security = "semi-honest",
    check_rules: CheckRules | None = None,
    on_step: Callable[[str], None] | None = None,
    on_value: Callable[[TracedValue], None] | None = None,
    executor: Executor | None = None,
    name: str | None = None,
) -> HelperPartyNetwork:
    """Three helper parties in this process, connected in memory and run in lockstep.

    A `seed` makes the run reproducible bit for bit (and its randomness predictable: for tests and
    teaching). `interceptors` see every message. The other arguments are the network's; without a
    `name` the run is given one.

    Raises: ParameterError for a seed that is no integer of at least 0, or an unknown security.
    """
    keys = pairwise_keys(seed)
    channels = intercepted(in_memory_channels(), interceptors)
    parties = [
        HelperParty(
            helper,
            Prss(*keys[helper]),
            channels[helper],
            own_randomness(helper, seed),
        )
        for helper in HELPERS
    ]
    return HelperPartyNetwork(
        new_run_name(seed) if name is None else name,
        parties,
        security=security,
        check_rules=check_rules,
        on_step=on_step,
        on_value=on_value,
        executor=executor,
    )

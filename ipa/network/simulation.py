"""The simulation: three helper parties in one process, connected in memory and run in lockstep."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, intercepted
from ipa.network.product_log import CheckRules
from ipa.parameters import Security
from ipa.parties import HELPERS, right_of
from ipa.ranges import check_integer
from ipa.sharing.prss import KEY_BYTES, Prss, ReproducibleKey
from ipa.sharing.randomness import Randomness


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a simulated run is done, whatever it computes: the same for every kind of query.

    A `seed` makes the run reproducible bit for bit, and its randomness predictable: for tests and
    teaching. `interceptors` see every message. `on_step` is called with the path of every step that
    begins (progress). An `executor` does local work that is worth it, with the same result: a process
    pool, or one of a cluster. Its workers see the shares that they work on.

    Raises: ParameterError for a seed that is no integer of at least 0.
    """

    seed: int | None = None
    interceptors: Iterable[Interceptor] = ()
    on_step: Callable[[str], None] | None = None
    executor: Executor | None = None

    def __post_init__(self) -> None:
        if self.seed is not None:
            check_integer("seed", self.seed, 0)
        # Any iterable is accepted; a frozen dataclass is normalised here.
        object.__setattr__(self, "interceptors", tuple(self.interceptors))

    def new_network(self, security: Security) -> HelperPartyNetwork:
        """A fresh simulated network with these options."""
        return simulated_network(
            self.seed,
            self.interceptors,
            security=security,
            on_step=self.on_step,
            executor=self.executor,
        )


DEFAULT_OPTIONS = RunOptions()


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
    return Randomness.from_seed(seed, f"own randomness of helper {helper}")


def simulated_network(
    seed: int | None = None,
    interceptors: Iterable[Interceptor] = (),
    *,
    security: Security = "semi-honest",
    check_rules: CheckRules | None = None,
    on_step: Callable[[str], None] | None = None,
    executor: Executor | None = None,
) -> HelperPartyNetwork:
    """Three helper parties in this process, connected in memory and run in lockstep.

    A `seed` makes the run reproducible bit for bit (and its randomness predictable: for tests and
    teaching). `interceptors` see every message. The other arguments are the network's.

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
    name = f"simulation-{secrets.token_hex(4) if seed is None else seed}"
    return HelperPartyNetwork(
        name,
        parties,
        security=security,
        check_rules=check_rules,
        on_step=on_step,
        executor=executor,
    )

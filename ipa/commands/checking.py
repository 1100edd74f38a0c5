"""`--check`: the same query computed in the clear, and whether that makes a difference."""

import sqlite3
import sys
from collections.abc import Sequence

from ipa.events import Event
from ipa.network.simulation import simulated_network
from ipa.noise.choice import noise_for
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.noise import add_noise
from ipa.result import QueryResult
from ipa.sharing.dealing import reconstruct_for_testing


def sums_by_sql(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    """The sums that `ipa.oracle.sql.query_sql` computes; Ctrl-C interrupts it like everything else.

    Raises: KeyboardInterrupt after Ctrl-C, also while SQL is running.
    """
    try:
        return query_sql(events, parameters)
    except sqlite3.OperationalError as error:
        # sqlite3 drops what is raised in one of our SQL functions and says only that something
        # was. They raise nothing themselves, so it was KeyboardInterrupt.
        if "user-defined" in str(error):
            raise KeyboardInterrupt from error
        raise


def noise_of_seed(parameters: QueryParameters, seed: int) -> list[int]:
    """The noise that the simulated run of this seed adds to each sum: the noise of sums that are 0.

    It depends on the keys, the step and the parameters alone. Only where the keys come from a seed can
    anybody compute it.
    """
    network = simulated_network(seed)
    with network.step("query"):
        zeros = public_number(network, parameters.breakdowns, 0, 1)
        noisy = add_noise(network, zeros, parameters)
    half = 1 << noisy.width - 1
    return [(x + half) % (2 * half) - half for x in reconstruct_for_testing(noisy)]


def report_check(
    command: str, result: QueryResult, expected: Sequence[int], seed: int | None = None
) -> int:
    """Say on standard error whether the sums are those expected; the exit status, 0 or 1.

    With a seed the noise is known and must be there exactly. Otherwise sums with noise are those
    expected if they are as near as the noise can take them: for noise made within the MPC that is
    certain, for noise by each helper it fails once in 2^64 times.
    """
    noise = noise_for(result.parameters)
    reach, found = 0, "the same sums"
    if noise is not None and seed is not None:
        drawn = noise_of_seed(result.parameters, seed)
        expected = [total + x for total, x in zip(expected, drawn, strict=True)]
        found = "the same sums, and the noise of this seed"
    elif noise is not None:
        reach, found = noise.largest, f"sums within the noise's reach of {noise.largest:,}"
    pairs = enumerate(zip(result.sums, expected, strict=True))
    differences = [
        (key, ours, theirs) for key, (ours, theirs) in pairs if abs(ours - theirs) > reach
    ]
    if not differences:
        print(f"{command}: check passed, the oracle computes {found}", file=sys.stderr)
        return 0
    key, ours, theirs = differences[0]
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    margin = f", give or take {reach:,}" if reach else ""
    problem = f"breakdown key {key} has {ours} and should have {theirs}{margin}{more}"
    print(f"{command}: check failed, {problem}", file=sys.stderr)
    return 1

"""What Halo's protocols cost, by provider and worker.

    python examples/halo_benchmark.py [--shuffle N] [--legions N]

The share shuffle over N registers and five publishers, semi-honest and malicious-secure; Liquid Legions
over N registers of one publisher, three workers and frequencies up to 10, in every group. All run in
this process, one after another, so that a worker's time is the third part of its processor time.
"""

import argparse
import random
import sys
from time import process_time
from typing import get_args

from ipa.commands.options import whole_number
from ipa.errors import ParameterError
from ipa.halo.encrypted_sketch import encrypt_indexes, encrypt_sketch
from ipa.halo.groups import GroupName, group_by_name
from ipa.halo.liquid_legions import LiquidLegions, generate_keys
from ipa.halo.llv2 import llv2
from ipa.halo.malicious_share_shuffle import (
    MaliciousShareShuffle,
    malicious_share_shuffle,
    tally_opened,
)
from ipa.halo.network import simulated_workers
from ipa.halo.reach_only_llv2 import reach_only_llv2
from ipa.halo.share_shuffle import (
    FIRST,
    SECOND,
    Share,
    ShareShuffle,
    share_shuffle,
    share_vector,
    tally,
)
from ipa.halo.sketch import Register
from ipa.network.costs import cost_of
from ipa.network.simulation import simulated_network
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness

PUBLISHERS, WORKERS, MOST = 5, 3, 10


def main() -> int:
    """Run both benchmarks; the exit status is 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--shuffle",
        type=whole_number(1),
        default=100_000,
        metavar="N",
        help="registers of the share shuffle (default: %(default)s)",
    )
    parser.add_argument(
        "--legions",
        type=whole_number(1),
        default=200,
        metavar="N",
        help="registers of Liquid Legions (default: %(default)s)",
    )
    arguments = parser.parse_args()
    print(
        "| protocol | group | registers | provider, us/register | a worker, us/register | bytes |"
    )
    print("|:--|:--|--:|--:|--:|--:|")
    right = [shuffle(arguments.shuffle), malicious_shuffle(arguments.shuffle)]
    for group in available_groups():
        right += [legions(arguments.legions, group, reach_only) for reach_only in (False, True)]
    return 0 if all(right) else 1


def available_groups() -> list[str]:
    """The groups that can be used here: one of them needs an optional package."""
    found = []
    for name in get_args(GroupName):
        try:
            group_by_name(name)
        except ParameterError as error:
            print(f"left out: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found


def row(name: str, group: str, count: int, provider: float, workers: float, sent: int) -> None:
    """One line of the table; seconds of all workers are given per worker."""
    per_register = [1e6 * seconds / count for seconds in (provider, workers)]
    cells = [f"{value:,.1f}" for value in per_register]
    print(f"| {name} | {group} | {count:,} | {' | '.join(cells)} | {sent:,} |", flush=True)


def shuffle(count: int) -> bool:
    """The share shuffle, with one publisher's share of the time."""
    rng = random.Random(1)
    parameters = ShareShuffle(registers=count, providers=PUBLISHERS, max_frequency=MOST)
    vectors = [rng.choices([0, 0, 0, 1, 2], k=count) for _ in range(PUBLISHERS)]
    started = process_time()
    pairs = [share_vector(vector, parameters.modulus, Randomness()) for vector in vectors]
    provided = process_time() - started
    network = simulated_workers()
    shares: dict[int, list[Share]] = {FIRST: [], SECOND: []}
    for seed, vector in pairs:
        shares[FIRST].append(seed)
        shares[SECOND].append(vector)
    started = process_time()
    found = tally(share_shuffle(network, shares, parameters) or [], parameters)
    computed = process_time() - started
    sent = cost_of(network.costs).bytes_sent
    row("hmss", "", count, provided / PUBLISHERS, computed / WORKERS, sent)
    return found.non_empty == sum(any(register) for register in zip(*vectors, strict=True))


def malicious_shuffle(count: int) -> bool:
    """The same with one malicious worker of three."""
    rng = random.Random(1)
    parameters = MaliciousShareShuffle(registers=count, providers=PUBLISHERS, max_frequency=MOST)
    vectors = [rng.choices([0, 0, 0, 1, 2], k=count) for _ in range(PUBLISHERS)]
    network = simulated_network(security="malicious")
    started = process_time()
    tables = [
        share_rows(network, vector, parameters.input_bits, Randomness()) for vector in vectors
    ]
    provided = process_time() - started
    started = process_time()
    opened = malicious_share_shuffle(network, tables, parameters)
    found = tally_opened(opened, parameters)
    computed = process_time() - started
    sent = cost_of(network.costs).bytes_sent
    row("hmss-malicious", "", count, provided / PUBLISHERS, computed / WORKERS, sent)
    return found.non_empty == sum(any(register) for register in zip(*vectors, strict=True))


def legions(count: int, group: str, reach_only: bool) -> bool:
    """Liquid Legions, with all three workers' time divided by three."""
    sketch = {index: Register(index, 1 + index % MOST) for index in range(count)}
    parameters = LiquidLegions(
        group=group_by_name(group), workers=WORKERS, publishers=1, max_frequency=MOST
    )
    network = simulated_workers(WORKERS)
    keys = generate_keys(network, parameters.group)
    encrypt = encrypt_indexes if reach_only else encrypt_sketch
    started = process_time()
    stored = {1: [encrypt(sketch, keys.combined(parameters.group), parameters, Randomness())]}
    provided = process_time() - started
    started = process_time()
    found = (reach_only_llv2 if reach_only else llv2)(network, stored, keys, parameters)
    computed = process_time() - started
    sent = cost_of(network.costs).bytes_sent
    name = "reach-only-llv2" if reach_only else "llv2"
    row(name, group, count, provided, computed / WORKERS, sent)
    return found is not None and found.active == count


if __name__ == "__main__":
    sys.exit(main())

"""What each protocol makes of one task: data providers prepare, workers compute, a count comes out.

The protocols have one signature. Which of them suits is the Kingdom's to choose.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from ipa.halo.encrypted_sketch import encrypt_indexes, encrypt_sketch
from ipa.halo.estimator import estimate
from ipa.halo.groups import group_by_name
from ipa.halo.lifecycle import ProtocolName
from ipa.halo.liquid_legions import LiquidLegions, LiquidLegionsNoise, generate_keys
from ipa.halo.llv2 import llv2
from ipa.halo.malicious_share_shuffle import (
    malicious_share_shuffle,
    tally_opened,
)
from ipa.halo.network import simulated_workers
from ipa.halo.noise import draw
from ipa.halo.reach_only_llv2 import reach_only_llv2
from ipa.halo.registers import frequency_vector
from ipa.halo.share_shuffle import (
    SHUFFLERS,
    Share,
    ShareShuffle,
    share_shuffle,
    share_vector,
    tally,
)
from ipa.halo.sketch import sketch_of
from ipa.halo.tasks import HISTOGRAM_SENSITIVITY, Outcome, Task, malicious_parameters
from ipa.network.simulation import simulated_network
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness


def run_direct(task: Task) -> Outcome:
    """The one data provider counts by itself and adds the noise. No worker takes part."""
    (impressions,) = task.impressions.values()
    randomness = Randomness.from_seed(task.settings.seed, "halo direct")
    times = Counter(impression.person for impression in impressions)
    noise = task.noise(task.privacy_of_statistic(), 1)

    def noised(number: int) -> int:
        """The number with noise, and 0 where it would be negative."""
        return max(0, number + draw(noise, randomness) - noise.offset)

    reach = int(noised(len(times)) / task.width)
    if task.max_frequency is None:
        return Outcome(reach, None, {})
    counts = Counter(min(number, task.max_frequency) for number in times.values())
    histogram = tuple(noised(counts[k]) for k in range(1, task.max_frequency + 1))
    return Outcome(reach, histogram, {})


def run_share_shuffle(task: Task) -> Outcome:
    """Honest majority share shuffle by three workers, a register for each sampled person."""
    noise = task.noise(task.privacy_of_statistic(), len(SHUFFLERS))
    most = task.max_frequency or 0
    parameters = ShareShuffle(
        registers=len(task.registers),
        providers=len(task.impressions),
        max_frequency=most,
        reach_noise=noise,
        frequency_noise=noise if most else task.noise(None, len(SHUFFLERS)),
    )
    randomness = Randomness.from_seed(task.settings.seed, "halo providers")
    places = {person: place for place, person in enumerate(task.registers)}
    shares: dict[int, list[Share]] = {worker: [] for worker in SHUFFLERS}
    for number, impressions in enumerate(task.impressions.values()):
        vector = frequency_vector(impressions, task.registers, max(1, most), places)
        seed_share, vector_share = share_vector(vector, parameters.modulus, randomness)
        # Seeds are short and vectors long: the workers take turns.
        first, second = SHUFFLERS if number % 2 else SHUFFLERS[::-1]
        shares[first].append(seed_share)
        shares[second].append(vector_share)
    network = simulated_workers(3, task.settings.seed, task.settings.interceptors)
    with network.step("hmss"):
        registers = share_shuffle(network, shares, parameters)
    found = tally(registers or [], parameters)
    reach = int(found.non_empty / task.width)
    return Outcome(reach, found.histogram if most else None, network.costs)


def run_malicious_share_shuffle(task: Task) -> Outcome:
    """The share shuffle on replicated shares by three workers of which one may be malicious."""
    parameters = malicious_parameters(task)
    randomness = Randomness.from_seed(task.settings.seed, "halo providers")
    network = simulated_network(
        task.settings.seed, task.settings.interceptors, security="malicious"
    )
    places = {person: place for place, person in enumerate(task.registers)}
    most = max(1, parameters.max_frequency)
    vectors = [
        share_rows(
            network,
            frequency_vector(impressions, task.registers, most, places),
            parameters.input_bits,
            randomness,
        )
        for impressions in task.impressions.values()
    ]
    found = tally_opened(malicious_share_shuffle(network, vectors, parameters), parameters)
    reach = int(found.non_empty / task.width)
    return Outcome(reach, found.histogram if task.max_frequency else None, network.costs)


def run_llv2(task: Task) -> Outcome:
    """Liquid Legions v2 over encrypted sketches, with frequencies."""
    return _run_legions(task, task.max_frequency, llv2, encrypt_sketch)


def run_reach_only_llv2(task: Task) -> Outcome:
    """Reach-only Liquid Legions v2 over encrypted indexes; frequencies are not measured."""
    return _run_legions(task, None, reach_only_llv2, encrypt_indexes)


def _run_legions(task: Task, most: int | None, protocol: Any, encrypt: Any) -> Outcome:
    """Sketches, keys, encryption, protocol, estimate.

    The reach has half the measurement's privacy parameters, or all where it is alone. What only the
    aggregator sees on its way has parameters of the same size of its own.
    """
    publishers = len(task.impressions)
    reach = task.privacy_of_statistic() if most else task.privacy
    parameters = LiquidLegions(
        group=group_by_name(task.settings.group),
        workers=task.settings.workers,
        publishers=publishers,
        max_frequency=most or 1,
        noise=LiquidLegionsNoise(
            reach=task.noise(reach, task.settings.workers),
            publisher=task.noise(task.privacy, task.settings.workers, publishers),
            blind_histogram=task.noise(task.privacy, task.settings.workers, HISTOGRAM_SENSITIVITY),
            frequency=task.noise(
                reach if most else None, task.settings.workers, HISTOGRAM_SENSITIVITY
            ),
        ),
    )
    randomness = Randomness.from_seed(task.settings.seed, "halo providers")
    network = simulated_workers(
        task.settings.workers, task.settings.seed, task.settings.interceptors
    )
    with network.step("llv2" if most else "reach-only-llv2"):
        keys = generate_keys(network, parameters.group)
        stored: dict[int, list[bytes]] = {}
        for number, impressions in enumerate(task.impressions.values()):
            sketch = sketch_of(impressions, task.settings.sketch, task.settings.hash_key)
            key = keys.combined(parameters.group)
            data = encrypt(sketch, key, parameters, randomness)
            stored.setdefault(1 + number % task.settings.workers, []).append(data)
        count = protocol(network, stored, keys, parameters)
    active = count.active
    if task.privacy is not None:  # noise can show more active registers than there are
        active = min(active, task.settings.sketch.size - 1)
    persons = round(estimate(active, task.settings.sketch) / float(task.width))
    return Outcome(persons, count.histogram if most else None, network.costs)


PROTOCOLS: dict[ProtocolName, Callable[[Task], Outcome]] = {
    "hmss": run_share_shuffle,
    "hmss-malicious": run_malicious_share_shuffle,
    "llv2": run_llv2,
    "reach-only-llv2": run_reach_only_llv2,
    "direct": run_direct,
}
"""Each protocol's function."""

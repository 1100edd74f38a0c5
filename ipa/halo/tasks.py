"""One task for the workers: what a protocol is given, what it must be able to do, what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

from ipa.errors import ParameterError
from ipa.halo.groups import group_by_name
from ipa.halo.impressions import Impression
from ipa.halo.lifecycle import ProtocolName
from ipa.halo.malicious_share_shuffle import MaliciousShareShuffle
from ipa.halo.noise import Mechanism, PrivacyParameters, WorkerNoise, worker_noise
from ipa.halo.ring_vectors import modulus_for
from ipa.halo.sketch import SketchParameters
from ipa.network.costs import Cost
from ipa.network.interception import Interceptor
from ipa.noise.choice import choose_parameters
from ipa.parties import HELPERS

HISTOGRAM_SENSITIVITY = 2
"""How far one person moves a histogram at most: one bar down, another up."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a task is run: see `run_measurement` for each."""

    hash_key: bytes
    sketch: SketchParameters
    group: str
    workers: int
    mechanism: Mechanism
    seed: int | None
    interceptors: Sequence[Interceptor]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be computed: each provider's impressions, all selected and sampled already.

    `registers` are the sampled persons, `width` the part of the population that they are.
    `privacy` is the whole measurement's, None for an exact result.
    """

    impressions: Mapping[str, Sequence[Impression]]
    registers: Sequence[str]
    max_frequency: int | None
    width: Fraction
    privacy: PrivacyParameters | None
    settings: Settings

    def privacy_of_statistic(self) -> PrivacyParameters | None:
        """What the reach has, and what the frequencies have: half each, or all where there are none."""
        if self.privacy is None or self.max_frequency is None:
            return self.privacy
        return PrivacyParameters(self.privacy.epsilon / 2, self.privacy.delta / 2)

    def noise(
        self, privacy: PrivacyParameters | None, workers: int, sensitivity: int = 1
    ) -> WorkerNoise:
        """What each of `workers` workers draws."""
        return worker_noise(privacy, workers, sensitivity, self.settings.mechanism)


@dataclass(frozen=True)
class Outcome:
    """The reach in the whole population, and sampled registers by frequency (None: not measured)."""

    reach: int
    histogram: tuple[int, ...] | None
    costs: dict[str, Cost]


def check_task(protocol: ProtocolName, task: Task) -> None:
    """Check that the protocol can do the task, before anything is paid for.

    Raises: ParameterError when it cannot.
    """
    settings, most = task.settings, task.max_frequency
    if not task.impressions:
        raise ParameterError("a measurement needs at least one data provider")
    task.privacy_of_statistic()  # half of the smallest epsilon or delta is too little
    if protocol in ("hmss", "hmss-malicious") and settings.workers != len(HELPERS):
        raise ParameterError(f"protocol {protocol} has three workers, not {settings.workers}")
    if protocol == "hmss-malicious":
        malicious_parameters(task)
    if protocol == "hmss":
        modulus_for((most or 1) * len(task.impressions))
    if protocol == "llv2" and most is None:
        raise ParameterError("protocol llv2 measures frequencies: say up to which, or take another")
    group_by_name(settings.group)
    if settings.mechanism not in get_args(Mechanism):
        raise ParameterError(f"the mechanism must be gaussian or geometric: {settings.mechanism!r}")
    if protocol == "hmss-malicious" and settings.mechanism != "geometric":
        raise ParameterError("protocol hmss-malicious has geometric noise only")


def malicious_parameters(task: Task) -> MaliciousShareShuffle:
    """What the task is to the malicious-secure share shuffle, with its noise.

    One person moves two counts by one each, the one of its frequency and that of nobody reached.
    Without frequencies there is one count, and a person moves it by one.

    Raises: ParameterError for an epsilon or delta for which there is no such noise, or too much.
    """
    most = task.max_frequency or 0
    noise = None
    if task.privacy is not None:
        noise = choose_parameters(
            task.privacy.epsilon, HISTOGRAM_SENSITIVITY if most else 1, most + 1, task.privacy.delta
        )
    return MaliciousShareShuffle(
        registers=len(task.registers),
        providers=len(task.impressions),
        max_frequency=most,
        noise=noise,
    )

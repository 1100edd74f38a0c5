"""The attack laboratory for Halo: upstream's protocols are semi-honest, and this is what that means.

One worker that does not follow the share shuffle or Liquid Legions changes the result, and nobody
notices. A shuffling worker and the aggregator together read every person's frequency. A worker that
chooses its key last reads every sketch alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ipa.display.records import record_html
from ipa.errors import MisbehaviourError, ParameterError
from ipa.halo.elgamal import combined_key, decrypt
from ipa.halo.group import Group
from ipa.halo.impressions import Impression
from ipa.halo.lifecycle import ProtocolName
from ipa.halo.liquid_legions import LiquidLegions
from ipa.halo.measurement import run_measurement
from ipa.halo.records import Record
from ipa.halo.ring_vectors import SEED_BYTES, Keystream, add, from_bytes, shuffle, to_bytes
from ipa.halo.share_shuffle import FIRST, SECOND, ShareShuffle
from ipa.halo.specification import MeasurementResult, MeasurementSpecification
from ipa.network.channel import Message
from ipa.network.interception import Transcript

Change = Callable[[bytes], bytes]
"""What a corrupted worker sends instead of its payload."""


@dataclass(frozen=True)
class Corruption:
    """An interceptor: `worker` changes its messages in the steps that match a shell pattern."""

    worker: int
    pattern: str
    change: Change

    def __call__(self, message: Message) -> Iterable[Message]:
        """What is delivered in place of the message."""
        if message.sender == self.worker and fnmatchcase(message.step, self.pattern):
            return (replace(message, payload=self.change(message.payload)),)
        return (message,)


@dataclass(frozen=True)
class HaloAttackReport:
    """The honest result, the attacked one (None where the run ended), and what was noticed, if at all.

    `noticed` is the step and what was wrong there. `detected_by` are the honest workers that noticed it
    themselves: the corrupted one runs the checks too, but what it says is worth nothing.
    """

    honest: MeasurementResult
    attacked: MeasurementResult | None
    noticed: str = ""
    detected_by: tuple[int, ...] = ()

    _repr_html_ = record_html

    @property
    def is_unnoticed(self) -> bool:
        """Whether a wrong result was released."""
        attacked = self.attacked
        return attacked is not None and (attacked.reach, attacked.frequency) != (
            self.honest.reach,
            self.honest.frequency,
        )


def run_halo_attack(
    impressions: Sequence[Impression],
    specification: MeasurementSpecification,
    protocol: ProtocolName,
    attack: Corruption,
    *,
    seed: int = 0,
    **options: Any,
) -> HaloAttackReport:
    """Run a measurement twice from one seed, honestly and attacked, and report instead of raise.

    `options` are those of `run_measurement`.
    """
    options["no_noise"] = specification.epsilon is None
    honest = run_measurement(impressions, specification, protocol, seed=seed, **options)
    try:
        attacked = run_measurement(
            impressions, specification, protocol, seed=seed, interceptors=[attack], **options
        )
    except MisbehaviourError as error:
        noticed = f"{error.step}: {error.problem}"
        detected_by = (worker for worker in error.detected_by if worker != attack.worker)
        return HaloAttackReport(honest, None, noticed, tuple(detected_by))
    return HaloAttackReport(honest, attacked)


def add_to_share(parameters: ShareShuffle, amounts: Sequence[int]) -> Change:
    """In the share shuffle: add an amount to each register of a worker's shuffled share.

    The sum changes by the same amounts, whatever the registers hold.
    """

    def change(payload: bytes) -> bytes:
        """The payload, changed."""
        share = from_bytes(payload, parameters.modulus)
        more = [*amounts, *[0] * (len(share) - len(amounts))]
        return to_bytes(add(share, more, parameters.modulus), parameters.modulus)

    return change


def keep_records(parameters: LiquidLegions, width: int, times: Callable[[int], int]) -> Change:
    """In Liquid Legions: send record number i `times(i)` times, so that some are lost or count twice.

    Each record has `width` ciphertexts. Lengths are no secret, but nobody knows what they should be.
    """
    size = parameters.record_bytes(width)

    def change(payload: bytes) -> bytes:
        """The payload, changed."""
        records = [payload[at : at + size] for at in range(0, len(payload), size)]
        return b"".join(record * times(number) for number, record in enumerate(records))

    return change


def read_registers(transcript: Transcript, parameters: ShareShuffle) -> list[int]:
    """What a shuffling worker and the aggregator read together: the frequency of every register.

    The worker knows both seeds, and from them the order of the shuffle; the aggregator has both
    shares. So the sum goes back to the place it came from. For `max_frequency` 0 it is 0 or the
    blinded number, which tells as much.

    Raises: ParameterError for a transcript of something else.
    """
    sent = {(m.step.rpartition("/")[2], m.sender): m.payload for m in transcript.messages}
    needed = [(step, worker) for step in ("seeds", "shuffled") for worker in (FIRST, SECOND)]
    if any(key not in sent for key in needed):
        raise ParameterError("the transcript is not one of a share shuffle")
    modulus, size = parameters.modulus, parameters.registers
    seeds = (sent["seeds", worker] for worker in (FIRST, SECOND))
    common = Keystream(bytes(a ^ b for a, b in zip(*seeds, strict=True)))
    if parameters.reach_only:
        common.elements(size, modulus, nonzero=True)
    for _ in (FIRST, SECOND):  # the masks of the noise
        common.elements(parameters.noise_registers, modulus)
    total = size + 2 * parameters.noise_registers
    places = shuffle(range(total), common.random_bytes(SEED_BYTES))
    first, second = (from_bytes(sent["shuffled", worker], modulus) for worker in (FIRST, SECOND))
    registers = [0] * total
    for place, value in zip(places, add(first, second, modulus), strict=True):
        registers[place] = value
    return registers[:size]


def rogue_key(group: Group[Any], others: Iterable[Any], secret: int) -> Any:
    """The public key that makes `secret` the secret of the combined key, whatever the others have.

    A worker that waits for the others' keys can send this one. It does not know the secret of its own
    key, and need not: it decrypts alone. Proofs of possession would prevent it.
    """
    sum_of_others = combined_key(group, others)
    return group.add(group.multiply_generator(secret), group.negate(sum_of_others))


def read_sketch(group: Group[Any], records: Iterable[Record], secret: int) -> list[list[Any]]:
    """The plaintext elements of encrypted registers, to who knows the combined key's secret."""
    return [[decrypt(group, secret, part)[1] for part in record] for record in records]

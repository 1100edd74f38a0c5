"""Liquid Legions sketches in the clear: a register per person, by hash, low registers more often.

A sketch is a mapping from the index of a register to what it holds; registers not in it are empty.
Two sketches merge register by register, so that the sketch of a union is the merged one. A register
that two different persons fell into is destroyed: it counts for the reach, not for frequencies.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import exp, log

from ipa.errors import ParameterError
from ipa.halo.impressions import Impression
from ipa.ranges import check_integer

FINGERPRINT_BITS = 64
LARGEST_SIZE = 1 << 32


@dataclass(frozen=True)
class SketchParameters:
    """`size` registers whose probabilities fall by e^decay from the first to the last.

    Upstream runs with decay 5.6 and a million registers, and tests with 12 and 100,000. The larger
    the decay, the larger the audiences that fit.

    Raises: ParameterError unless decay > 1 (at most 100) and size >= 1.
    """

    decay: float = 12.0
    size: int = 100_000

    def __post_init__(self) -> None:
        if not 1 < self.decay <= 100:
            raise ParameterError(f"a sketch's decay must be above 1 and at most 100: {self.decay}")
        check_integer("registers of a sketch", self.size, 1, LARGEST_SIZE)


@dataclass(frozen=True)
class Register:
    """One person's key and how often the person was reached; `key` None once it is destroyed."""

    key: int | None
    count: int


Sketch = Mapping[int, Register]
"""Registers by index."""


def register_index(fingerprint: int, parameters: SketchParameters) -> int:
    """The register of a person's 64-bit fingerprint: floor(m (1 - ln(e^a + u (1 - e^a)) / a)).

    u is the fingerprint as a fraction of 2^64; the index has a truncated exponential distribution.
    """
    u = fingerprint / (1 << FINGERPRINT_BITS)
    top = exp(parameters.decay)
    place = 1 - log(top + u * (1 - top)) / parameters.decay
    # The largest fingerprints round to u = 1, one past the last register.
    return min(parameters.size - 1, int(parameters.size * place))


def fingerprint(person: str, purpose: str, key: bytes) -> int:
    """A 64-bit hash of a person for one purpose, under a key that all data providers share."""
    hashed = blake2b(person.encode(), key=key, person=purpose.encode(), digest_size=8)
    return int.from_bytes(hashed.digest(), "big")


def sketch_of(
    impressions: Iterable[Impression], parameters: SketchParameters, key: bytes
) -> dict[int, Register]:
    """The sketch of the impressions: each person's register, key and number of impressions."""
    sketch: dict[int, Register] = {}
    for person, times in Counter(impression.person for impression in impressions).items():
        index = register_index(fingerprint(person, "index", key), parameters)
        insert(sketch, index, Register(fingerprint(person, "key", key), times))
    return sketch


def insert(sketch: dict[int, Register], index: int, register: Register) -> None:
    """Add a register's content to the one with this index: counts add up, unlike keys destroy."""
    known = sketch.get(index)
    if known is not None:
        key = known.key if known.key == register.key else None
        register = Register(key, known.count + register.count)
    sketch[index] = register


def merge(sketches: Iterable[Sketch]) -> dict[int, Register]:
    """The sketch of the union of what all the sketches were made of."""
    merged: dict[int, Register] = {}
    for sketch in sketches:
        for index, register in sketch.items():
            insert(merged, index, register)
    return merged


def sketch_histogram(sketch: Sketch, max_frequency: int) -> tuple[int, ...]:
    """How many registers that are not destroyed count 1, 2, ..., `max_frequency` or more."""
    histogram = [0] * max_frequency
    for register in sketch.values():
        if register.key is not None:
            histogram[min(register.count, max_frequency) - 1] += 1
    return tuple(histogram)

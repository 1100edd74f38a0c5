"""Labels as numbers: a public list of them, numbers as they come, and a keyed hash."""

import hashlib
import hmac
import unicodedata
from collections.abc import Hashable, Mapping, Sequence

from ipa.errors import ParameterError
from ipa.events.field_values import integer_from_object, is_absent

MIN_HASH_KEY_BYTES = 16


def distinct_labels(name: str, labels: Sequence[Hashable]) -> tuple[Hashable, ...]:
    """The labels as a tuple.

    Raises: ParameterError for none, for one text in place of a list, and for one that is missing,
        comes twice or cannot be looked up.
    """
    if isinstance(labels, str | bytes) or not isinstance(labels, Sequence):
        raise ParameterError(f"{name} must be a list of labels, not {type(labels).__name__}")
    if not labels:
        raise ParameterError(f"{name} must have at least one label")
    if not all(isinstance(label, Hashable) and not is_absent(label) for label in labels):
        raise ParameterError(f"{name} must be text or numbers, and none of them missing")
    if len(set(labels)) < len(labels):
        raise ParameterError(f"{name} has a label twice")
    return tuple(labels)


class Numbering:
    """Numbers from 0 for labels, in the order in which they come; the same label has the same number."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._numbers: dict[Hashable, int] = {}

    def number(self, label: object) -> int | str:
        """The number of a label, a new one if it is new, or what is wrong with it."""
        problem = _label_problem(label)
        if problem or not isinstance(label, Hashable):
            return problem
        number = self._numbers.get(label, len(self._numbers))
        if number > self._largest:
            bits = self._largest.bit_length()
            return (
                f"more than {self._largest + 1} different labels, which {bits} bits cannot number"
            )
        self._numbers[label] = number
        return number

    def number_from_none(self, label: object) -> int | str:
        """As `number`, but no label is 0."""
        return 0 if is_absent(label) else self.number(label)


def place_of(label: object, places: Mapping[Hashable, int], other: int | str) -> int | str:
    """The place of a label, or `other` for one that has none."""
    return places.get(label, other) if isinstance(label, Hashable) else other


def keyed_hash(label: object, key: bytes, bits: int) -> int | str:
    """The first `bits` bits of HMAC-SHA-256 of a label, or what is wrong with it.

    A label is text, in Unicode normalization form C, or an integer from 0; a text of digits is another
    label than the integer.
    """
    problem = _label_problem(label)
    if problem:
        return problem
    if isinstance(label, str):
        message = b"text " + unicodedata.normalize("NFC", label).encode("utf-8", "surrogatepass")
    else:
        integer = integer_from_object(label)
        if isinstance(integer, str):
            return f"to be hashed, a label must be text, or {integer.removeprefix('must be ')}"
        message = b"integer " + str(integer).encode()
    digest = hmac.digest(key, message, hashlib.sha256)
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits)


def _label_problem(label: object) -> str:
    if is_absent(label):
        return "is missing"
    return (
        ""
        if isinstance(label, Hashable)
        else f"must be text or a number, not {type(label).__name__}"
    )

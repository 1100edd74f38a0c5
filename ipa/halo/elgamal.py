"""ElGamal over any group, under a key of which every worker holds a summand; and blinding.

A ciphertext of M is (rG, M + rY) with Y = sum of Y_i, Y_i = x_i G. Each worker takes x_i times the
first element away from the second; when all have, M is left. Before that nothing is known of M, as
long as one summand is unknown. Multiplying both elements by k gives a ciphertext of kM (Pohlig and
Hellman's commutative blinding): equal plaintexts stay equal, and that is all they show.
"""

from collections.abc import Iterable
from functools import reduce
from typing import TypeVar

from ipa.errors import ParameterError
from ipa.halo.group import Group
from ipa.sharing.randomness import Randomness

E = TypeVar("E")

Ciphertext = tuple[E, E]


def random_scalar(group: Group[E], randomness: Randomness) -> int:
    """A uniform scalar that is not 0: a secret key, a blinding exponent, the randomness of one use."""
    return 1 + randomness.random_below(group.order - 1)


def combined_key(group: Group[E], keys: Iterable[E]) -> E:
    """The public key that only all the owners of `keys` together can decrypt for."""
    return reduce(group.add, keys, group.identity)


def encrypt(group: Group[E], key: E, element: E, randomness: Randomness) -> Ciphertext[E]:
    """A fresh encryption of the element."""
    r = random_scalar(group, randomness)
    return group.multiply_generator(r), group.add(element, group.multiply(r, key))


def trivial(group: Group[E], element: E) -> Ciphertext[E]:
    """The element as a ciphertext without randomness, to compute with: it hides nothing."""
    return group.identity, element


def rerandomise(
    group: Group[E], key: E, ciphertext: Ciphertext[E], randomness: Randomness
) -> Ciphertext[E]:
    """Another encryption of the same element, which nobody can link to the first."""
    return add(group, ciphertext, encrypt(group, key, group.identity, randomness))


def decrypt(group: Group[E], secret: int, ciphertext: Ciphertext[E]) -> Ciphertext[E]:
    """Take one worker's layer away; after the last, the second element is the plaintext."""
    first, second = ciphertext
    return first, group.add(second, group.negate(group.multiply(secret, first)))


def scale(group: Group[E], scalar: int, ciphertext: Ciphertext[E]) -> Ciphertext[E]:
    """A ciphertext of `scalar` times the plaintext."""
    first, second = ciphertext
    return group.multiply(scalar, first), group.multiply(scalar, second)


def add(group: Group[E], a: Ciphertext[E], b: Ciphertext[E]) -> Ciphertext[E]:
    """A ciphertext of the sum of the plaintexts."""
    return group.add(a[0], b[0]), group.add(a[1], b[1])


def subtract(group: Group[E], a: Ciphertext[E], b: Ciphertext[E]) -> Ciphertext[E]:
    """A ciphertext of the difference of the plaintexts."""
    return add(group, a, (group.negate(b[0]), group.negate(b[1])))


def to_bytes(group: Group[E], ciphertexts: Iterable[Ciphertext[E]]) -> bytes:
    """The ciphertexts one after another, 2 * element_bytes each."""
    return b"".join(group.to_bytes(element) for pair in ciphertexts for element in pair)


def from_bytes(group: Group[E], data: bytes) -> list[Ciphertext[E]]:
    """What `to_bytes` wrote.

    Raises: ParameterError for bytes that are no ciphertexts.
    """
    size = group.element_bytes
    if len(data) % (2 * size):
        raise ParameterError(f"{len(data)} bytes are no ciphertexts of {2 * size} bytes")
    elements = [group.from_bytes(data[at : at + size]) for at in range(0, len(data), size)]
    return list(zip(elements[::2], elements[1::2], strict=True))

"""What a `repr` of the client's and the intake's objects shows: no key, no share, no ciphertext."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import ipa.client
import ipa.intake
import ipa.protocols.primitives

PUBLIC = {
    ("PublicKey", "encoded"),
    ("QueryStream", "key_fingerprint"),
    ("ComparedRows", "statuses"),
    ("_Told", "statuses"),
}
"""Bytes that everybody may see."""


def dataclasses_of_the_packages() -> Iterator[type]:
    for package in (ipa.client, ipa.intake, ipa.protocols.primitives):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                here = getattr(value, "__module__", None) == found.name
                if here and isinstance(value, type) and dataclasses.is_dataclass(value):
                    yield value


CLASSES = list(dataclasses_of_the_packages())
HOLDS_BYTES_OR_SHARES = re.compile(r"\bbytes\b|\btuple\[int|\blist\[int|\bSequence\[int")


def test_the_classes_are_found() -> None:
    names = {each.__name__ for each in CLASSES}
    assert {"PrivateKey", "GenericReportShares", "Record", "TwoPartyBits", "_Told"} <= names


@pytest.mark.parametrize("each", CLASSES, ids=lambda each: each.__name__)
def test_bytes_and_shares_are_not_shown(each: type) -> None:
    for field in dataclasses.fields(each):
        kind = field.type if isinstance(field.type, str) else repr(field.type)
        if HOLDS_BYTES_OR_SHARES.search(kind) and (each.__name__, field.name) not in PUBLIC:
            assert not field.repr, f"{each.__name__}.{field.name}"

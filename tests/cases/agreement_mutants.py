"""Planted mutants of the steps in which helpers agree: coins, inputs, verdicts, a run's name."""

from typing import Any

from mutant_cases import Mutant, accepting, of_part, on_output, with_patch, without

from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import Json


def biased(ring: Any, uniform: bytes) -> int:
    """Reduced from as many bytes as an element has."""
    return int.from_bytes(uniform[: ring.element_bytes], "little") % int(ring.size)


def from_helper_2_on(given: Json, output: Json) -> Json:
    """The hash takes the nonces of H2, H3 and H1."""
    first, *others = given["nonces"]
    other = honest_answer("messages/run-name", {"nonces": [*others, first]})
    return output | {"name": other["output"]["name"]}


AGREEMENT_MUTANTS = [
    Mutant("nobody waits before a coin", "messages/coins", on_output(without("/ready"))),
    Mutant(
        "an element of Z/p from too few bytes",
        "messages/coins",
        with_patch("ipa.sharing.rings.IntegersModulo.sample", biased),
    ),
    Mutant("the release needs one round", "messages/agree", on_output(without("/confirmation"))),
    Mutant("a verdict of no is a yes", "messages/agree", accepting("verdict")),
    Mutant("a nonce is not echoed", "messages/run-name", on_output(without("/echo"))),
    Mutant("whoever is told another nonce goes on", "messages/run-name", accepting("told")),
    Mutant(
        "the nonces are hashed from helper 2 on", "messages/run-name", on_output(from_helper_2_on)
    ),
    Mutant(
        "the label is left out of the name",
        "messages/run-name",
        with_patch("ipa.protocols.primitives.run_name._LABEL", b""),
    ),
    Mutant(
        "the name of the run is not compared",
        "messages/check-inputs",
        of_part("session", "another"),
    ),
    Mutant("what is public is not compared", "messages/check-inputs", of_part("agreed", [])),
    Mutant("unequal digests are taken", "messages/check-inputs", accepting("inputs")),
]

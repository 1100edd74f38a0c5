"""The weights of the check: known beforehand they hide errors, so they come after the products."""

from collections.abc import Sequence

import pytest
from malicious_cases import MaliciousSimulation, column_errors, raised
from test_soundness import one_wrong_gate, record_hashes

from ipa.errors import MisbehaviourError, VerificationError
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.verification import blocks
from ipa.sharing.verification.blocks import Section, choose_layout, to_blocks
from ipa.sharing.verification.column_hash import ColumnHash


def test_who_knows_the_weights_beforehand_can_hide_an_error() -> None:
    """Errors in 200 gates whose weights sum to zero: GF(2^64) has but 64 dimensions."""
    rows = 200
    layout = choose_layout({(rows, 1): 1})

    def run(errors: int) -> tuple[ColumnHash, MisbehaviourError | None]:
        with pytest.MonkeyPatch.context() as patch:
            hashes = record_hashes(patch)
            attack = column_errors(3, "multiply", [errors])
            simulation = MaliciousSimulation(1, attack=attack)
            x = simulation.bits([1] * rows, 1)
            multiply(simulation.network, x, x)
            error = raised(simulation.finish)
            return hashes[0], error

    known, error = run(0)
    assert error is None

    def weights_of(errors: int) -> int:
        """The hashes of all blocks, side by side: every one has to be zero."""
        blocks = layout.sections[1].blocks
        hashed = known.sums(to_blocks({rows: [errors]}, layout.length, blocks))
        return sum(value << 64 * block for block, value in enumerate(hashed))

    hidden = dependency([weights_of(1 << row) for row in range(rows)])
    assert hidden
    assert weights_of(hidden) == 0
    assert run(hidden)[1] is None
    assert isinstance(run(hidden ^ 1)[1], VerificationError)


def test_the_weights_are_drawn_anew() -> None:
    with pytest.MonkeyPatch.context() as patch:
        hashes = record_hashes(patch)
        for seed in range(5):
            raised(one_wrong_gate(seed, 64).finish)
    assert len({hashed.sums([1])[0] for hashed in hashes}) == 5


@pytest.mark.parametrize("across", ["groups", "blocks", "positions"])
def test_equal_errors_in_two_places_do_not_cancel(across: str) -> None:
    """Two groups, two blocks of a group and two positions of a block have different weights."""
    rows = 1 << 10
    while (layout := choose_layout({(rows, 1): 1})).groups < 2:
        rows *= 2
    distances = {"groups": layout.length << layout.variables, "blocks": layout.length}
    distance = distances.get(across, layout.length // 2)
    assert distance < rows
    attack = column_errors(1, "multiply", [1 | 1 << distance])
    simulation = MaliciousSimulation(1, attack=attack)
    x = simulation.bits([0] * rows, 1)
    multiply(simulation.network, x, x)
    assert isinstance(raised(simulation.finish), VerificationError)


def test_equal_errors_in_two_products_of_one_factor_do_not_cancel() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", 1)
        simulation = MaliciousSimulation(1, attack=column_errors(1, "multiply", [1, 1]))
        x, y = simulation.bits([0] * 200, 1), simulation.bits([0] * 200, 2)
        multiply(simulation.network, x, y)
        assert isinstance(raised(simulation.finish), VerificationError)


def test_equal_errors_in_a_group_and_in_a_product_do_not_cancel() -> None:
    """The next group and the next product of a factor are not weighed alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", 1)
        patch.setattr(blocks, "_LONGEST_BLOCK", 128)
        patch.setattr(blocks, "_MOST_VARIABLES", 5)  # so that there is a second group
        layout = choose_layout({(128, 2): 64})
        assert layout.sections == {2: Section(products=2, variables=5, groups=2)}
        # Columns 0 and 64 belong to the first factor, 32 and 96 to the first of the second group.
        errors = [0] * 32 + [1] + [0] * 31 + [1]
        simulation = MaliciousSimulation(1, attack=column_errors(1, "multiply", errors))
        x, y = simulation.bits([0] * 128, 64), simulation.bits([0] * 128, 128)
        multiply(simulation.network, x, y, [*range(64), *range(64)])
        assert isinstance(raised(simulation.finish), VerificationError)


def dependency(vectors: Sequence[int]) -> int:
    """A subset, as a number, of the vectors over GF(2) whose XOR is zero; 0 when there is none."""
    basis: dict[int, tuple[int, int]] = {}
    for index, vector in enumerate(vectors):
        chosen = 1 << index
        while vector and vector.bit_length() in basis:
            other, others = basis[vector.bit_length()]
            vector, chosen = vector ^ other, chosen ^ others
        if not vector:
            return chosen
        basis[vector.bit_length()] = (vector, chosen)
    return 0

"""Packed vectors do what sliced ones do, and the batch check sends the same with either."""

import pytest
from check_mathematics import from_elements
from hypothesis import given
from hypothesis import strategies as st
from strategies import Simulation

from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.verification.inner_product import OPENED
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.verification import packed_vector, sliced_vector
from ipa.sharing.verification.binary_field import MODULI, BinaryField
from ipa.sharing.verification.packed_vector import PackedVector, pack


@st.composite
def two_vectors(draw: st.DrawFn) -> tuple[BinaryField, list[int], list[int]]:
    """A field and two equally long lists of its elements."""
    field = BinaryField(draw(st.sampled_from(sorted(MODULI))))
    length = draw(st.integers(1, 40) | st.sampled_from([63, 64, 65, 256, 300]))
    lists = st.lists(st.integers(0, field.order - 1), min_size=length, max_size=length)
    return field, draw(lists), draw(lists)


@given(two_vectors(), st.data())
def test_everything_is_as_with_slices(
    case: tuple[BinaryField, list[int], list[int]], data: st.DataObject
) -> None:
    field, *both = case
    a, b = (from_elements(field, elements) for elements in both)
    point = data.draw(st.integers(0, field.order - 1))
    assert packed_vector.add(pack(a), pack(b)) == pack(sliced_vector.add(a, b))
    product = sliced_vector.inner_product(field, [(a, b)])
    assert packed_vector.inner_product(field, pack(a), pack(b)) == product
    (low,), (high,) = sliced_vector.halves([a])
    assert packed_vector.halves(field, pack(a)) == (pack(low), pack(high))
    (folded,) = sliced_vector.fold(field, [low], [high], point)
    assert packed_vector.fold(field, pack(low), pack(high), point) == pack(folded)


@given(two_vectors())
def test_elements_stand_in_their_slots(case: tuple[BinaryField, list[int], list[int]]) -> None:
    field, elements, _ = case
    packed = pack(from_elements(field, elements))
    assert packed.length == len(elements)
    slots = [packed.slots >> 2 * field.degree * c for c in range(len(elements))]
    assert [slot & (1 << 2 * field.degree) - 1 for slot in slots] == elements
    assert packed_vector.elements(field, packed) == elements
    assert packed_vector.of_elements(field, elements) == packed


def test_elements_stay_out_of_repr() -> None:
    assert repr(PackedVector(12345, 2)) == "PackedVector(length=2)"


@pytest.mark.parametrize("rows", [1, 300, 3000])
def test_the_check_sends_the_same_however_early_vectors_are_packed(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def transcript(short: int) -> list[object]:
        monkeypatch.setattr(packed_vector, "SHORT", short)
        simulation = Simulation(rows, "malicious")
        x = simulation.bits([5] * rows, 3)
        multiply(simulation.network, x, x)
        check_products(simulation.network)
        return [*simulation.transcript.messages]

    assert transcript(OPENED) == transcript(256) == transcript(1 << 20)

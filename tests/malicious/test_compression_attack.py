"""Reading a person's match key through match key compression: made-up sources beside one trigger.

A report collector adds sources with match keys of its own to a trigger of a person's, each with a
breakdown key of its own. The sums show which of them the trigger is credited to, and so which hash
the person's match key has. To whoever knows the matrix this is a linear equation of the match key for
each bit of the hash; a few queries give it all.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from linear_hash_cases import CompressionMatrix, compress_match_key_share

from ipa.attacks import Tampering
from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Transcript, intercepted
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.protocols import match_key_compression
from ipa.protocols.match_key_compression import check_compressed_bits, compress_match_keys
from ipa.reports import share_events
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.dealing import only_helper, reconstruct_for_testing, share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

BITS = 6
SOURCES = 60
PERSON = 0xBEEF
PARAMETERS = QueryParameters(
    breakdowns=SOURCES,
    cap=1,
    match_key_bits=16,
    attribution_constraint_id_bits=1,
    timestamp_bits=7,
    value_bits=1,
)


def made_up(seed: int) -> list[int]:
    randomness = Randomness.from_seed(seed, "made up match keys")
    return [randomness.random_bits(16) for _ in range(SOURCES)]


def matrices(patch: pytest.MonkeyPatch) -> list[SharedBits]:
    """A list to which every compression adds its matrix, for looking at it from outside."""
    seen: list[SharedBits] = []
    draw = match_key_compression._secret_matrix

    def drawn(network: HelperPartyNetwork, rows: int, columns: int) -> SharedBits:
        seen.append(draw(network, rows, columns))
        return seen[-1]

    patch.setattr(match_key_compression, "_secret_matrix", drawn)
    return seen


def as_matrix(rows: Sequence[int]) -> CompressionMatrix:
    """The matrix whose row j has bit i of rows[j] in column i."""
    images = tuple(
        sum((row >> i & 1) << j for j, row in enumerate(rows))
        for i in range(PARAMETERS.match_key_bits)
    )
    return CompressionMatrix(PARAMETERS.match_key_bits, len(rows), images)


def true(shared: SharedBits) -> list[int]:
    return reconstruct_for_testing(shared)


def guessed_by(helper: int) -> Callable[[SharedBits], list[int]]:
    """The best that one helper which helps the report collector can do: its two shares together."""

    def guess(shared: SharedBits) -> list[int]:
        own, right = shared.shares_of(helper)
        together = [a ^ b for a, b in zip(own, right, strict=True)]
        return rows_from_columns(together, shared.rows)

    return guess


def equations(seed: int, knowledge: Callable[[SharedBits], list[int]]) -> list[bool]:
    """Perform the attack: for each equation of the match key that it yields, whether it is true."""
    keys = made_up(seed)
    events: list[Event] = [SourceEvent(k, 0, b, b) for b, k in enumerate(keys)]
    events.append(TriggerEvent(PERSON, 0, SOURCES, 1))
    with pytest.MonkeyPatch.context() as patch:
        seen = matrices(patch)
        network = simulated_network(seed)
        reports = share_events(network, events, PARAMETERS, Randomness.from_seed(seed, ""))
        hashed = true(compress_match_keys(network, reports.match_key, BITS))
    parameters = replace(PARAMETERS, match_key_bits=BITS)
    merged = [replace(event, match_key=h) for event, h in zip(events, hashed, strict=True)]
    sums = query_in_steps(merged, parameters)  # all that the report collector gets
    if not any(sums):
        return []
    matrix = as_matrix(knowledge(seen[0]))
    believed = compress_match_key_share(keys[sums.index(1)], matrix)
    found = compress_match_key_share(PERSON, matrix)
    return [(believed ^ found) >> bit & 1 == 0 for bit in range(BITS)]


def test_who_knew_the_matrix_would_read_the_match_key() -> None:
    """The attack is real: every equation that it yields is true."""
    found = [equation for seed in range(20) for equation in equations(seed, true)]
    assert len(found) > 10 * BITS
    assert all(found)


@pytest.mark.parametrize("helper", HELPERS)
def test_to_a_report_collector_with_one_helper_the_equations_tell_nothing(helper: int) -> None:
    """Half of them are true, as of any number: within four standard deviations."""
    found = [e for seed in range(60) for e in equations(seed, guessed_by(helper))]
    assert len(found) > 30 * BITS
    assert abs(sum(found) - len(found) / 2) < 2 * len(found) ** 0.5


def test_no_message_of_compression_depends_on_the_matrix_beyond_a_mask() -> None:
    """Nothing is opened, and what is sent is sent left, as every product is."""
    transcript = Transcript()
    network = simulated_network(1, [transcript])
    keys = share_rows(network, made_up(1), 16, Randomness.from_seed(1, ""))
    compress_match_keys(network, keys, BITS)
    steps = {message.step.partition("#")[0] for message in transcript.messages}
    assert steps == {"compress-match-keys/multiply"}
    assert len(transcript.messages) == 3 * BITS


def test_every_bit_of_the_matrix_is_random_and_of_its_own() -> None:
    """256 bits that were one coin of 64 bits four times, say, would show here."""
    with pytest.MonkeyPatch.context() as patch:
        seen = matrices(patch)
        for seed in range(200):
            network = simulated_network(seed)
            keys = share_rows(network, [1], 32, Randomness.from_seed(seed, ""))
            compress_match_keys(network, keys, 8)
    tables = [true(matrix) for matrix in seen]
    columns = [
        sum((rows[j] >> i & 1) << run for run, rows in enumerate(tables))
        for j in range(8)
        for i in range(32)
    ]
    assert len(set(columns)) == len(columns)
    assert all(50 < column.bit_count() < 150 for column in columns)  # seven standard deviations
    for first, column in enumerate(columns):  # no two bits of the matrix go together
        assert all(45 < (column ^ other).bit_count() < 155 for other in columns[:first])


@pytest.mark.parametrize(("rows", "fewest"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (1025, 11)])
def test_fewer_hashes_than_reports_are_refused(rows: int, fewest: int) -> None:
    check_compressed_bits(64, fewest, rows)
    if fewest > 1:
        with pytest.raises(ParameterError, match=f"at least {fewest} bits, not {fewest - 1}"):
            check_compressed_bits(64, fewest - 1, rows)
        network = simulated_network(1)
        keys = share_rows(network, [0] * rows, 12, Randomness())
        with pytest.raises(ParameterError, match="collisions"):
            compress_match_keys(network, keys, fewest - 1)
        assert not network.costs


@pytest.mark.parametrize("bits", [0, -1, 64, 65, True, 8.0])
def test_a_width_that_compresses_nothing_is_refused(bits: int) -> None:
    with pytest.raises(ParameterError, match="can be compressed to at least 1"):
        check_compressed_bits(64, bits, 1)


def test_a_helper_that_aborts_compression_tells_the_others() -> None:
    """H1 cuts its first message to H3: H3 notices, and H2 hears of it instead of waiting in vain."""
    keys = pairwise_keys(1)
    cut = Tampering(1, "compress-match-keys/multiply", "truncate")
    channels = intercepted(in_memory_channels(timeout=20), [cut])
    shared = share_rows("apart", made_up(1), 16, Randomness.from_seed(1, ""))

    def run(helper: int) -> None:
        party = HelperParty(helper, Prss(*keys[helper]), channels[helper])
        network = HelperPartyNetwork("apart", [party])
        compress_match_keys(network, only_helper(shared, helper), BITS)

    with ThreadPoolExecutor(3) as pool:
        errors = [str(future.exception()) for future in [pool.submit(run, h) for h in HELPERS]]
    assert "instead of" in errors[2]
    assert all("aborted" in error for error in errors[:2])

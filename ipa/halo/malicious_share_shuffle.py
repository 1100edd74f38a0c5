"""The share shuffle on replicated shares: secure against one of three workers, whatever it does.

The honest majority share shuffle (ipa.halo.share_shuffle) trusts its workers to follow it. Here every
data provider deals its frequencies to the three workers as replicated shares of bits, and the workers
add them up, append noise registers, shuffle and open, with the circuits of the attribution protocol:
all products are checked, the shuffle is verified (ipa.protocols.circuits.shuffle), and what is
opened comes from two workers and must agree. A worker that deviates makes the run abort. It cannot
change the result, and learns what is opened and nothing else.

How many noise registers of each kind count is drawn inside the computation
(ipa.protocols.noise.laplace_noise), so that nobody knows it, and no worker can choose or take away its
part. Noise registers that do not count hide that number.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ipa.errors import ParameterError
from ipa.halo.share_shuffle import Tally
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.parameters import bits_for
from ipa.protocols.circuits.addition import add, sum_of
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_columns, public_number
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.shuffle import shuffle
from ipa.protocols.noise import laplace_noise
from ipa.protocols.primitives.abort import aborting_together, agree_to_release
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.primitives.opening import open_bits
from ipa.ranges import check_integer
from ipa.sharing.bits import columns_from_rows, ones, rows_from_columns
from ipa.sharing.joining import join_columns, join_rows
from ipa.sharing.shared_bits import SharedBits

MAX_NOISE_REGISTERS = 1 << 22
"""More of them than this are refused: a small epsilon asks for more than fits a computer."""


@dataclass(frozen=True, kw_only=True)
class MaliciousShareShuffle:
    """The public parameters: `registers` a vector, frequencies of F = `max_frequency` and more are one.

    With `max_frequency` 0 only the reach is measured. Without `noise` what is opened is exact.

    Raises: ParameterError for a number out of range, or noise that needs too many registers.
    """

    registers: int
    providers: int
    max_frequency: int
    noise: DigitwiseLaplace | None = None

    def __post_init__(self) -> None:
        for name, least in (("registers", 0), ("providers", 1), ("max_frequency", 0)):
            check_integer(name, getattr(self, name), least)
        if self.noise_registers > MAX_NOISE_REGISTERS:
            raise ParameterError(
                f"{self.noise_registers} noise registers are more than {MAX_NOISE_REGISTERS}: "
                "take a larger epsilon"
            )

    @property
    def value_bits(self) -> int:
        """The bits of a frequency up to F; none where only the reach is measured."""
        return self.max_frequency.bit_length()

    @property
    def input_bits(self) -> int:
        """The columns of a data provider's table: a frequency, or whether there was any."""
        return max(1, self.value_bits)

    @property
    def kinds(self) -> int:
        """How many counts there are: one for each frequency from 0 to F, or of who was reached."""
        return self.max_frequency + 1

    @property
    def offset(self) -> int:
        """The noise registers of each kind that count on average."""
        return self.noise.largest if self.noise else 0

    @property
    def noise_registers(self) -> int:
        """How many registers are appended, whatever is drawn."""
        return 2 * self.offset * self.kinds

    def to_bytes(self) -> bytes:
        """The parameters as the workers compare them."""
        return repr(self).encode()


def malicious_share_shuffle(
    network: HelperPartyNetwork, vectors: Sequence[SharedBits], parameters: MaliciousShareShuffle
) -> list[int]:
    """The whole protocol: all registers, shuffled and with noise, in the clear to every worker.

    `vectors` has a table for each data provider: a row a register, `input_bits` columns. An opened
    register has its frequency in the lowest `value_bits` bits, and above them whether it counts; what
    does not count is 0.

    Cost: about 3 w gates a register and provider, and 4 w gates a noise register, for w bits; the
        check of these; a verified shuffle; two bits of each column a register to open.
    Reveals: to all workers the multiset of registers and noise.
    Raises: ParameterError for a network that is not malicious-secure, or tables that do not fit.
        MisbehaviourError when a worker deviates.
    """
    _check_vectors(network, vectors, parameters)
    with aborting_together(network), network.step("hmss-malicious"):
        check_inputs(network, vectors, [parameters.to_bytes()])
        table = registers_of(network, vectors, parameters)
        if parameters.noise is not None:
            table = join_rows(table, noise_registers(network, parameters, parameters.noise))
        if table.rows:
            table = shuffle(network, table).take(range(table.rows), table.width)
            opened = rows_from_columns(open_bits(network, table), table.rows)
        else:
            opened = []
        agree_to_release(network)
    return opened


def _check_vectors(
    network: HelperPartyNetwork, vectors: Sequence[SharedBits], parameters: MaliciousShareShuffle
) -> None:
    if not network.is_malicious_secure:
        raise ParameterError("the network must be malicious-secure")
    if len(vectors) != parameters.providers:
        raise ParameterError(f"{parameters.providers} tables are needed, not {len(vectors)}")
    shape = (parameters.registers, parameters.input_bits)
    if any((vector.rows, vector.width) != shape for vector in vectors):
        raise ParameterError(f"a table must have {shape[0]} registers of {shape[1]} bits")


def registers_of(
    network: HelperPartyNetwork, vectors: Sequence[SharedBits], parameters: MaliciousShareShuffle
) -> SharedBits:
    """What the providers' frequencies come to: at most F, and a column of ones, for they count.

    Where only the reach is measured it is that column alone: whether anybody reached the person.
    """
    if not parameters.max_frequency:
        return reached_by_any(network, vectors)
    rows, most, bits = parameters.registers, parameters.max_frequency, parameters.value_bits
    # No sum wraps, whatever a provider put into its bits.
    width = bits_for(parameters.providers * ((1 << bits) - 1))
    total = sum_of(network, vectors, width)
    above = greater_than(network, total, public_number(network, rows, most, width))
    capped = choose(network, above, public_number(network, rows, most, bits), total[:bits])
    return join_columns(capped, public_columns(network, rows, [ones(rows)]))


def reached_by_any(network: HelperPartyNetwork, vectors: Sequence[SharedBits]) -> SharedBits:
    """One column: whether any of the vectors, of one column each, has a 1.

    Cost: ceil(log2 p) rounds and p - 1 gates a row for p vectors.
    Reveals: nothing.
    """
    with network.step("any"):
        none = ~join_columns(*vectors)
        while none.width > 1:
            half = none.width // 2
            product = multiply(network, none[:half], none[half : 2 * half])
            none = join_columns(product, none[2 * half :])
        return ~none


def noise_registers(
    network: HelperPartyNetwork, parameters: MaliciousShareShuffle, noise: DigitwiseLaplace
) -> SharedBits:
    """2 m registers of each kind, of which m + X count: m is the largest noise there is, X the noise.

    Register j of a kind counts when j < m + X. One that counts looks like a person's register of that
    frequency, one that does not is 0.
    """
    with network.step("noise-registers"):
        counting = _how_many_count(network, parameters, noise)
        each, rows = 2 * parameters.offset, parameters.noise_registers
        spread = counting.map_columns(rows, lambda column: _repeat_bits(column, each))
        places = [place for _ in range(parameters.kinds) for place in range(each)]
        numbers = public_columns(network, rows, columns_from_rows(places, spread.width))
        counts = greater_than(network, spread, numbers)
        kinds = [kind for kind in range(parameters.kinds) for _ in range(each)]
        masks = columns_from_rows(kinds, parameters.value_bits)
        return join_columns(*(counts.and_public([mask]) for mask in masks), counts)


def _how_many_count(
    network: HelperPartyNetwork, parameters: MaliciousShareShuffle, noise: DigitwiseLaplace
) -> SharedBits:
    """m + X for each kind: from 0 to 2 m, and so not signed."""
    width = bits_for(2 * parameters.offset)
    drawn = laplace_noise(network, parameters.kinds, width, noise)
    return add(network, drawn, public_number(network, parameters.kinds, parameters.offset, width))


def _repeat_bits(column: int, times: int) -> int:
    """Each bit of the column `times` times, one after another."""
    repeated, place = 0, 0
    while column >> place:
        if column >> place & 1:
            repeated |= ones(times) << place * times
        place += 1
    return repeated


def tally_opened(opened: Sequence[int], parameters: MaliciousShareShuffle) -> Tally:
    """What everybody counts in the opened registers, the expected noise subtracted.

    The rest is kept within range, as in `ipa.halo.share_shuffle.tally`.
    """
    counts, size, offset = Counter(opened), parameters.registers, parameters.offset
    counted = 1 << parameters.value_bits

    def persons(frequency: int) -> int:
        """How many registers have this frequency, with the noise, within what is possible."""
        return max(0, min(size, counts[counted + frequency] - offset))

    if not parameters.max_frequency:
        return Tally(persons(0), ())
    non_empty = max(0, min(size, size - counts[counted] + offset))
    histogram = [persons(frequency) for frequency in range(1, parameters.max_frequency)]
    return Tally(non_empty, (*histogram, max(0, non_empty - sum(histogram))))

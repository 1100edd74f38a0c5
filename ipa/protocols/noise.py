"""Step 6 of the query: noise for the sums (spec: DP Noise Addition, Differentially Private Noise).

The specification names two ways. In the first, noise is sampled within the MPC from coins that the
helpers toss together: nobody knows any part of it, and nobody can shrink it. In the second, each
helper samples noise of its own and adds it as an input: simple, but what one helper added it can take
away, so the noise of the other two must suffice (SPEC_NOTES: noise).
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.width import signed_width
from ipa.parameters import QueryParameters
from ipa.protocols.circuits.addition import add, subtract, sum_of
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_columns, zero_extend
from ipa.protocols.primitives.input_sharing import share_own_columns
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def add_noise(
    network: HelperPartyNetwork, sums: SharedBits, parameters: QueryParameters
) -> SharedBits:
    """The sums, one row per breakdown key, with noise by the mechanism that `parameters` names.

    A noisy sum is a signed number in two's complement, wide enough for every sum and every noise.
    Without epsilon the sums are left as they are, unsigned.

    Cost: that of `laplace_noise` or `laplace_noise_per_helper`, and of adding it to the sums.
    Reveals: nothing.
    """
    noise = noise_for(parameters)
    if noise is None:
        return sums
    width = signed_width((1 << sums.width) - 1, noise.largest)
    with network.step("noise"):
        if isinstance(noise, DigitwiseLaplace):
            drawn = laplace_noise(network, sums.rows, width, noise)
        else:
            drawn = laplace_noise_per_helper(network, sums.rows, width, noise)
        return add(network, zero_extend(network, sums, width), drawn)


def laplace_noise(
    network: HelperPartyNetwork, count: int, width: int, noise: DigitwiseLaplace
) -> SharedBits:
    """Discrete Laplace noise that nobody knows: a row for each of `count` sums, signed.

    X = G1 - G2 with G1, G2 geometric, whose binary digits are independent coins: digit i is
    [U < c_i] for a word U of random bits that the helpers have in common without communication, and a
    public threshold c_i. All coins of all sums are rows of one table, and compared at once. Each bit of
    U is the XOR of three, each of which two helpers know: no helper knows it or can bias it.

    Cost: ceil(log2 (lambda + 1)) rounds and those of a subtraction; at most 4 k lambda gates a sum for
    k digits of lambda random bits, and a subtraction's.
    Reveals: nothing.
    """
    digits = noise.digits
    with network.step("words") as step:
        rows = 2 * digits * count
        shares = {
            helper: party.prss.random_columns(step, noise.precision, rows)
            for helper, party in network.parties.items()
        }
        words = SharedBits(network.name, rows, noise.precision, shares)
    return laplace_noise_from_words(network, words, count, width, noise)


def laplace_noise_from_words(
    network: HelperPartyNetwork, words: SharedBits, count: int, width: int, noise: DigitwiseLaplace
) -> SharedBits:
    """The noise that given shared words make: what noise_from_words says, for `count` sums at once.

    The rows of `words` are by variable, then digit, then sum; lambda columns.

    Cost: that of `laplace_noise`.
    Reveals: nothing.
    Raises: MismatchError for words of another number or width.
    """
    digits = noise.digits
    thresholds = [c for c in noise.thresholds for _ in range(count)] * 2
    limits = public_columns(
        network, len(thresholds), columns_from_rows(thresholds, noise.precision)
    )
    coins = greater_than(network, limits, words)
    # Each digit of all sums is a run of rows.
    columns = [coins.take_rows(k * count, (k + 1) * count) for k in range(2 * digits)]
    first = zero_extend(network, join_columns(*columns[:digits]), width)
    second = zero_extend(network, join_columns(*columns[digits:]), width)
    return subtract(network, first, second)


def laplace_noise_per_helper(
    network: HelperPartyNetwork, count: int, width: int, noise: PerHelperLaplace
) -> SharedBits:
    """The sum of three noises, one sampled by each helper: a row for each of `count` sums, signed.

    A helper knows its own noise, and so a third of the variance. The noise of the two others alone keeps
    the promise. It is reduced modulo 2^width, never clamped.

    Cost: one round of `width` bits a sum for each helper, and those of a sum of three numbers.
    Reveals: nothing but its own noise to each helper.
    """
    own = {
        helper: columns_from_rows(
            [noise.sample(party.randomness.random_below) % (1 << width) for _ in range(count)],
            width,
        )
        for helper, party in network.parties.items()
    }
    return sum_of(network, share_own_columns(network, own, width, count), width)

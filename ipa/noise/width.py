"""How wide a noisy sum is: two's complement, since noise can take a sum below zero."""

from ipa.errors import ParameterError
from ipa.parameters import bits_for


def signed_width(largest_sum: int, largest_noise: int) -> int:
    """The bits of two's complement that hold every sum plus noise.

    Sums are from 0 to `largest_sum`, noise from -largest_noise to largest_noise. With w bits the
    numbers from -2^(w - 1) to 2^(w - 1) - 1 can be told apart. The upper end decides: it has to hold
    largest_sum + largest_noise, and the lower end reaches one further.

    Raises: ParameterError for negative arguments.
    """
    if largest_sum < 0 or largest_noise < 0:
        raise ParameterError(
            f"the largest sum and noise must not be negative, not {largest_sum} and {largest_noise}"
        )
    return 1 + bits_for(largest_sum + largest_noise)

"""Agreement with an independent library on the discrete Laplace mechanism, where it is installed.

`dp-accounting` computes the hockey-stick divergence of ideal discrete Laplace noise in floating
point. With many digits and bits, the noise made inside the MPC differs from the ideal by far less.
"""

from fractions import Fraction

import pytest

from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.divergence import hockey_stick

privacy_loss_mechanism = pytest.importorskip("dp_accounting.pld.privacy_loss_mechanism")


@pytest.mark.parametrize(
    ("epsilon", "sensitivity"), [(Fraction(1), 1), (Fraction(1, 2), 3), (Fraction(3), 32)]
)
def test_delta_agrees_at_every_epsilon_and_shift(epsilon: Fraction, sensitivity: int) -> None:
    noise = DigitwiseLaplace(epsilon=epsilon, sensitivity=sensitivity, digits=10, precision=60)
    assert noise.total_variation_bound < 1e-13
    for shift in {1, 2, sensitivity, 2 * sensitivity}:
        other = privacy_loss_mechanism.DiscreteLaplacePrivacyLoss(
            float(noise.rate), sensitivity=shift
        )
        for tenths in range(13):
            allowed = epsilon * tenths / 10
            ours = float(hockey_stick(noise.masses, shift, allowed))
            assert abs(ours - other.get_delta_for_epsilon(float(allowed))) < 1e-12

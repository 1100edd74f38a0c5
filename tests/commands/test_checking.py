"""What `--check` accepts of sums with noise: all that the noise can do, and nothing more."""

from dataclasses import replace
from fractions import Fraction

import pytest

from ipa.commands.checking import noise_of_seed, report_check
from ipa.noise.choice import noise_for
from ipa.parameters import QueryParameters
from ipa.result import QueryResult

PARAMETERS = QueryParameters(breakdowns=4, cap=9, epsilon=Fraction(1))
EXACT = [5, 0, 7, 1]


@pytest.mark.parametrize("sign", [1, -1])
def test_without_a_seed_sums_may_be_as_far_away_as_the_noise_reaches(
    sign: int, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = noise_for(PARAMETERS)
    assert noise is not None
    for beyond, status in ((0, 0), (1, 1)):
        sums = [5, 0, 7 + sign * (noise.largest + beyond), 1]
        assert report_check("ipa query", QueryResult(sums, 3, PARAMETERS, {}), EXACT) == status
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith(f"sums within the noise's reach of {noise.largest:,}")
    assert said[1].endswith(f"should have 7, give or take {noise.largest:,}")


def test_with_a_seed_the_noise_must_be_there_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    noise = noise_of_seed(PARAMETERS, 3)
    assert any(noise)
    sums = [total + x for total, x in zip(EXACT, noise, strict=True)]
    result = QueryResult(sums, 3, PARAMETERS, {})
    assert report_check("ipa query", result, EXACT, 3) == 0
    wrong = replace(result, sums=[sums[0] + 1, *sums[1:]])
    for found in (wrong, replace(result, sums=EXACT)):
        assert report_check("ipa query", found, EXACT, 3) == 1
    assert "check failed" in capsys.readouterr().err

"""The parameters of noise in the JSON of a case."""

from fractions import Fraction

from ipa.conformance.json_values import Json
from ipa.errors import ParameterError, RefusedCaseError
from ipa.noise.digitwise_laplace import DigitwiseLaplace


def noise_from_json(given: Json) -> DigitwiseLaplace:
    """The noise with the `epsilon`, `sensitivity`, `digits` and `precision` of a case.

    Raises: RefusedCaseError, stage `parameters`, whose reason is the parameter's name.
    """
    try:
        return DigitwiseLaplace(
            epsilon=Fraction(given["epsilon"]),
            sensitivity=given["sensitivity"],
            digits=given["digits"],
            precision=given["precision"],
        )
    except ParameterError as error:
        # Each message begins with the parameter's name.
        raise RefusedCaseError("parameters", str(error).split()[0]) from error

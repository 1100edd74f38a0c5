"""Why a report, an encrypted match key, a query stream or a key is refused: one enumeration."""

from enum import StrEnum
from typing import NoReturn

from ipa.errors import ReportError


class Reason(StrEnum):
    """The rule broken, counted in a query's result (spec: Validating reports).

    A report is refused for the first rule that it breaks, in this order; its context is judged
    before anything is opened. (A plaintext of the wrong length is MALFORMED too, found last.) The
    last two are found at intake: a record that was there before is not looked at again, and what
    differs between the helpers only they together can see.
    """

    MALFORMED = "malformed"
    UNSUPPORTED_VERSION = "unsupported version"
    WRONG_HELPER = "addressed to another helper"
    WRONG_NETWORK = "another helper party network"
    WRONG_EPOCH = "another epoch"
    WRONG_COLLECTOR = "another report collector"
    WRONG_PROVIDER = "another match key provider"
    WRONG_SITE = "another site"
    UNKNOWN_KEY = "unknown or retired key"
    CANNOT_DECRYPT = "cannot be decrypted"
    OUT_OF_RANGE = "out of range"
    DUPLICATE = "a record sent before"
    INCONSISTENT = "different at different helpers"


def reject(reason: Reason, problem: str) -> NoReturn:
    """Raise ReportError for `reason`; `problem` says what is wrong and contains no secret."""
    raise ReportError(problem, reason)

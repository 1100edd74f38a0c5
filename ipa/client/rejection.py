"""Why a report, an encrypted match key, a query stream or a key is refused: one enumeration."""

from enum import StrEnum
from typing import NoReturn

from ipa.errors import ReportError


class Reason(StrEnum):
    """The rule broken, counted in a query's result (spec: Validating reports).

    A helper looks at a report's framing, then its context in the order below, then its keys, and
    opens it last; it stops at the first rule broken (a plaintext of the wrong length is MALFORMED,
    though found last). If several helpers refuse a report, the reason that comes first below counts.
    The last two are found by the helpers together: what differs between them, and then, among the
    reports left, what was there before. No reason depends on what a share says
    (SPEC_NOTES: public-reasons).
    """

    MALFORMED = "malformed"
    UNSUPPORTED_VERSION = "unsupported version"
    WRONG_HELPER = "addressed to another helper"
    WRONG_NETWORK = "another helper party network"
    WRONG_MATCH_KEYS = "another width or sharing of match keys"
    WRONG_EPOCH = "another epoch"
    WRONG_COLLECTOR = "another report collector"
    WRONG_ASKING_SITE = "collected for another site"
    WRONG_PROVIDER = "another match key provider"
    WRONG_SITE = "another site"
    UNKNOWN_KEY = "unknown or retired key"
    CANNOT_DECRYPT = "cannot be decrypted"
    INCONSISTENT = "different at different helpers"
    DUPLICATE = "a record sent before"


def reject(reason: Reason, problem: str) -> NoReturn:
    """Refuse something; `problem` says what is wrong and contains no secret.

    Raises: ReportError for `reason`.
    """
    raise ReportError(problem, reason)

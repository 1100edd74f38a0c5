"""Why a service refuses what it is asked: one enumeration, with the HTTP status that goes with it."""

from enum import StrEnum
from typing import NoReturn

from ipa.errors import ServiceError


class Refusal(StrEnum):
    """The rule that a request broke. None depends on what a share or a sealed match key says.

    FAULT is no rule: the helper party itself failed, and its log says where.
    """

    MALFORMED = "malformed"
    NOT_AUTHENTICATED = "not authenticated"
    NOT_YOURS = "another party's"
    UNKNOWN_PATH = "unknown path"
    UNKNOWN_QUERY = "unknown query"
    WRONG_METHOD = "wrong method"
    TIMED_OUT = "timed out"
    REPLAYED = "submitted before"
    NOT_DONE = "not done"
    LENGTH_MISSING = "length missing"
    TOO_LARGE = "too large"
    WRONG_STREAM = "no stream for this helper"
    CANNOT_BE_ASKED = "cannot be asked"
    QUEUE_FULL = "queue full"
    STOPPING = "stopping"
    FAULT = "fault"


STATUS = {
    Refusal.MALFORMED: 400,
    Refusal.NOT_AUTHENTICATED: 401,
    Refusal.NOT_YOURS: 403,
    Refusal.UNKNOWN_PATH: 404,
    Refusal.UNKNOWN_QUERY: 404,
    Refusal.WRONG_METHOD: 405,
    Refusal.TIMED_OUT: 408,
    Refusal.REPLAYED: 409,
    Refusal.NOT_DONE: 409,
    Refusal.LENGTH_MISSING: 411,
    Refusal.TOO_LARGE: 413,
    Refusal.WRONG_STREAM: 422,
    Refusal.CANNOT_BE_ASKED: 422,
    Refusal.QUEUE_FULL: 429,
    Refusal.FAULT: 500,
    Refusal.STOPPING: 503,
}
"""The HTTP status of each refusal."""


def refuse(refusal: Refusal, problem: str) -> NoReturn:
    """Refuse a request; `problem` says in one sentence what is wrong, and holds no secret.

    Raises: ServiceError.
    """
    raise ServiceError(problem, refusal)

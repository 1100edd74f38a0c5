"""What an HTTP request says and what answers it, as plain values; the bytes are those of http.py."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from ipa.ranges import check_integer
from ipa.service.refusal import STATUS, Refusal, refuse

JSON = "application/json"

# RFC 3986, section 3.3: what a segment of a path is made of, and a name or value of a query.
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*")
_TERM = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*+,;:@/?]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """What one HTTP client may cost: bytes, and seconds.

    `head_seconds` is for a whole head, from its first byte on, and `idle_seconds` for waiting for that
    byte. A body and its answer may take `exchange_seconds` together and a second more for every
    `least_rate` bytes; what the helper party itself takes in between is not counted. When it closes on
    a client that may still be sending, it throws away up to `linger_bytes` for up to
    `linger_seconds`: closing at once would reset the connection, and the answer could be lost.

    Raises: ParameterError for a limit that is not above 0.
    """

    head_bytes: int = 1 << 14
    header_fields: int = 64
    path_bytes: int = 1 << 10
    query_bytes: int = 1 << 12
    requests: int = 1 << 10
    head_seconds: float = 10.0
    idle_seconds: float = 30.0
    exchange_seconds: float = 30.0
    least_rate: int = 1 << 17
    linger_bytes: int = 1 << 18
    linger_seconds: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and value > 0:
                continue
            check_integer(name, value, 1)


@dataclass(frozen=True)
class Request:
    """The head of a request.

    `path` is the segments between the slashes and `query` what stands behind the question mark, both
    percent-decoded. HEAD is told as GET. `length` is how many bytes the body has, None where the
    request does not say: then it has none.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    length: int | None


@dataclass(frozen=True)
class Response:
    """What a request is answered. `refusal` says which rule it broke, if any; it is for counting."""

    status: int
    body: bytes = field(repr=False)
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    refusal: Refusal | None = None


ReadBody = Callable[[int], bytes]
"""Reads the whole body, once; called with the most bytes that it may have.

Raises: ServiceError TOO_LARGE before a byte is read, TIMED_OUT or MALFORMED.
"""

Handle = Callable[[Request, ReadBody], Response]
"""Answers a request whose head is there; a body is read only if it asks for it."""


def json_body(document: object) -> bytes:
    """A JSON document as the body of an answer."""
    return json.dumps(document).encode() + b"\n"


def refusal_response(
    refusal: Refusal, problem: str, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """The answer to a request that is refused."""
    body = json_body({"refusal": refusal, "problem": problem})
    return Response(STATUS[refusal], body, headers=headers, refusal=refusal)


def parse_target(target: str, limits: HttpLimits) -> tuple[tuple[str, ...], dict[str, str]]:
    """A request's target as the segments of its path and the parameters of its query, decoded.

    Everything is taken as it stands: `..` is a segment like others, and a plus sign is one.

    Raises: ServiceError MALFORMED for a target that is no path, or is too long; for characters that
        must be percent-encoded, and encodings of anything but UTF-8; for a parameter without a value,
        or given twice.
    """
    path, mark, query = target.partition("?")
    if len(path) > limits.path_bytes:
        refuse(Refusal.MALFORMED, f"a path may have {limits.path_bytes} bytes")
    if len(query) > limits.query_bytes:
        refuse(Refusal.MALFORMED, f"the parameters may have {limits.query_bytes} bytes")
    if not path.startswith("/"):
        refuse(Refusal.MALFORMED, "the target of a request must be a path")
    segments = tuple(_decoded(segment, _SEGMENT, "the path") for segment in path[1:].split("/"))
    parameters: dict[str, str] = {}
    for term in query.split("&") if mark else ():
        name, equals, value = term.partition("=")
        if not equals:
            refuse(Refusal.MALFORMED, "a parameter must be written as name=value")
        name = _decoded(name, _TERM, "a parameter")
        if name in parameters:
            refuse(Refusal.MALFORMED, "a parameter is given twice")
        parameters[name] = _decoded(value, _TERM, "a parameter")
    return segments, parameters


def _decoded(text: str, allowed: re.Pattern[str], what: str) -> str:
    if not allowed.fullmatch(text):
        refuse(Refusal.MALFORMED, f"{what} has characters that must be percent-encoded")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        refuse(Refusal.MALFORMED, f"{what} is not UTF-8 when percent-decoded")

"""What a helper party answers over HTTP: its report collectors, its operator, and anybody.

Each route is a plain function, which gives the body of an answer. What a query must be is checked in
the order of what it costs: who asks, what is asked, whether there is room, and only then is its stream
read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ipa.budget.ledger import Ledger, find_receipt
from ipa.client.configuration import HelperKeys, NetworkConfiguration, configuration_to_json
from ipa.client.rejection import Reason
from ipa.errors import ParameterError, ReportError
from ipa.intake.query_comparison import read_own_stream
from ipa.names import check_identifier
from ipa.network.sockets import Connection
from ipa.report_answer import check_parameters, promise_of
from ipa.service.asked import Asked, asked_from_text
from ipa.service.http import serve_http
from ipa.service.messages import (
    HttpLimits,
    ReadBody,
    Request,
    Response,
    json_body,
    refusal_response,
)
from ipa.service.metrics import Metrics
from ipa.service.openapi import openapi
from ipa.service.parties import Party
from ipa.service.public_record import PublicRecord
from ipa.service.queries import Queries, State
from ipa.service.refusal import Refusal, refuse
from ipa.service.results import answer_to_json
from ipa.service.routes import ID, Route, match

CONFIGURATION_FORMAT = "ipa-helper/1"


@dataclass(frozen=True)
class Front:
    """What the answers are about: one helper party, its queries and what it has counted.

    Without a ledger nothing is charged, and exact sums can be asked for.
    """

    helper: int
    configuration: NetworkConfiguration
    keys: HelperKeys
    ledger: Ledger | None
    queries: Queries
    metrics: Metrics
    record: PublicRecord = field(default_factory=PublicRecord)


def serve_front(
    connection: Connection, party: Party, front: Front, limits: HttpLimits | None = None
) -> None:
    """Answer what a party asks over a connection, until it ends."""
    handle = partial(answer, front, party)
    serve_http(connection, handle, limits or HttpLimits(), refused=front.metrics.refused)


@dataclass(frozen=True)
class _Asking:
    """A request that its route allows, and who sent it."""

    front: Front
    party: Party
    query_id: str
    request: Request
    read_body: ReadBody


def answer(front: Front, party: Party, request: Request, read_body: ReadBody) -> Response:
    """The answer to a request.

    Raises: ServiceError for one that is refused.
    """
    found = match(request.path)
    if not found:
        refuse(
            Refusal.UNKNOWN_PATH, "there is nothing at this path; /openapi.json says what there is"
        )
    for route, query_id in found:
        if route.method == request.method:
            _check_audience(route, party)
            _check_request(route, query_id, request)
            body = _ANSWERS[route.name](_Asking(front, party, query_id, request, read_body))
            return Response(route.status, body, route.content_type)
    methods = [route.method for route, _ in found]
    allowed = [*methods, *(["HEAD"] if "GET" in methods else ())]
    return refusal_response(
        Refusal.WRONG_METHOD,
        f"this path can be asked with {', '.join(allowed)} alone",
        (("Allow", ", ".join(allowed)),),
    )


def _check_audience(route: Route, party: Party) -> None:
    if route.audience in ("anybody", party.role):
        return
    if party.role == "stranger":
        problem = (
            f"only a {route.audience} may ask this, with the certificate that the network knows"
        )
        refuse(Refusal.NOT_AUTHENTICATED, problem)
    refuse(Refusal.NOT_YOURS, f"only a {route.audience} may ask this, and {party} is none")


def _check_request(route: Route, query_id: str, request: Request) -> None:
    if request.query and not route.takes_stream:
        refuse(Refusal.MALFORMED, "this path takes no parameters")
    if request.length and not route.takes_stream:
        refuse(Refusal.MALFORMED, "this path takes no body")
    if ID in route.segments:
        try:
            check_identifier("query_id", query_id)
        except ParameterError as error:
            refuse(Refusal.MALFORMED, str(error))


def _submit(asking: _Asking) -> bytes:
    front, submitter = asking.front, asking.party.name
    try:
        asked = asked_from_text(asking.query_id, submitter, asking.request.query)
        if front.ledger is not None:
            promise_of(asked.parameters)  # can be charged
    except ParameterError as error:
        refuse(Refusal.CANNOT_BE_ASKED, str(error))
    if front.ledger is not None and find_receipt(front.ledger, asked.query_id) is not None:
        problem = f"query {asked.query_id} was charged before; ask again with a new ID"
        refuse(Refusal.REPLAYED, problem)
    size = asking.request.length
    if size is None:
        refuse(Refusal.LENGTH_MISSING, "a stream needs its Content-Length")
    with front.queries.admitted(asked, size) as submit:
        stream = asking.read_body(size)
        _check_stream(front, asked, stream)
        submit(stream)
    front.metrics.reached(State.WAITING)
    return json_body({"query_id": asked.query_id, "state": State.WAITING})


def _check_stream(front: Front, asked: Asked, stream: bytes) -> None:
    """Check that a stream is this helper party's, its submitter's, and made for the parameters."""
    try:
        own = read_own_stream(stream, front.keys, asked.submitter)
    except ReportError as error:
        is_anothers = error.reason == Reason.WRONG_COLLECTOR
        refusal = Refusal.NOT_YOURS if is_anothers else Refusal.WRONG_STREAM
        refuse(refusal, f"{error.reason}: {error.problem}")
    try:
        check_parameters(own.stream.query, asked.parameters)
    except ParameterError as error:
        refuse(Refusal.CANNOT_BE_ASKED, str(error))


def _state(asking: _Asking) -> bytes:
    query = asking.front.queries.of(asking.query_id, asking.party.name)
    return json_body(
        {
            "query_id": asking.query_id,
            "state": query.state,
            "step": query.step,
            "reason": query.reason,
        }
    )


def _withdraw(asking: _Asking) -> bytes:
    queries = asking.front.queries
    queries.withdraw(queries.of(asking.query_id, asking.party.name))
    return _state(asking)


def _result(asking: _Asking) -> bytes:
    query = asking.front.queries.of(asking.query_id, asking.party.name)
    if query.answer is None:
        refuse(Refusal.NOT_DONE, f"query {asking.query_id} is {query.state}")
    document = answer_to_json(asking.front.helper, asking.query_id, query.answer)
    query.collected = True
    return json_body(document)


def _record(asking: _Asking) -> bytes:
    ledger = asking.front.ledger
    return b"" if ledger is None else asking.front.record.of(ledger)


def _configuration(asking: _Asking) -> bytes:
    """What the published configuration says of this helper party, in its words."""
    front = asking.front
    published = json.loads(configuration_to_json(front.configuration))
    own = {
        "format": CONFIGURATION_FORMAT,
        **{name: published[name] for name in ("network", "match_key_bits", "sharing")},
        "helper": front.helper,
        "keys": published["helpers"][front.helper - 1],
        "service": (published["services"][front.helper - 1 :] or [None])[0],
        "report_collectors": published["report_collectors"],
    }
    return json_body(own)


def _openapi(asking: _Asking) -> bytes:
    return json_body(openapi())


def _health(asking: _Asking) -> bytes:
    return json_body({"status": "stopping" if asking.front.queries.stopping else "ok"})


def _metrics(asking: _Asking) -> bytes:
    return asking.front.metrics.text().encode()


_ANSWERS: dict[str, Callable[[_Asking], bytes]] = {
    "submit": _submit,
    "state": _state,
    "withdraw": _withdraw,
    "result": _result,
    "record": _record,
    "configuration": _configuration,
    "openapi": _openapi,
    "health": _health,
    "metrics": _metrics,
}
"""By the name of the route."""

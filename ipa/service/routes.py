"""What a helper party can be asked over HTTP: one table, for whoever answers and whoever describes.

Every answer is of a type and a schema, by name in ipa/service/openapi.py, or it is a refusal.
"""

from dataclasses import dataclass
from typing import Literal

from ipa.budget.transparency import ExportFormat
from ipa.service.messages import JSON
from ipa.service.metrics import CONTENT_TYPE
from ipa.service.parties import Role
from ipa.service.refusal import Refusal

JSON_LINES = "application/jsonl"
RECORD_FORM: ExportFormat = "jsonl"
STREAM_TYPE = "application/octet-stream"
ID = "{query_id}"

Audience = Literal["anybody"] | Role

_ALWAYS = (Refusal.MALFORMED, Refusal.TIMED_OUT, Refusal.LENGTH_MISSING, Refusal.FAULT)
_KNOWN = (Refusal.NOT_AUTHENTICATED, Refusal.NOT_YOURS)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path.

    `path` is made of segments, of which `{query_id}` stands for any name. `audience` is who may ask:
    a stranger is told NOT_AUTHENTICATED, and another party NOT_YOURS. Only a route that takes a
    stream has parameters and a body. `refusals` are those that only this route has.
    """

    name: str
    method: Literal["GET", "PUT", "DELETE"]
    path: str
    audience: Audience
    summary: str
    schema: str
    status: int = 200
    content_type: str = JSON
    takes_stream: bool = False
    refusals: tuple[Refusal, ...] = ()

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, as those of a request."""
        return tuple(self.path[1:].split("/"))

    @property
    def all_refusals(self) -> tuple[Refusal, ...]:
        """Every refusal that a request for this route can be answered with."""
        known = () if self.audience == "anybody" else _KNOWN
        return (*_ALWAYS, *known, *self.refusals)


ROUTES = (
    Route(
        name="submit",
        method="PUT",
        path=f"/v1/queries/{ID}",
        audience="report collector",
        summary="Submit this helper party's stream of a query. Its body is not read before the request "
        "is found worth it: a client that sends Expect: 100-continue wastes nothing.",
        schema="Submitted",
        status=201,
        takes_stream=True,
        refusals=(
            *(Refusal.REPLAYED, Refusal.TOO_LARGE, Refusal.WRONG_STREAM),
            *(Refusal.CANNOT_BE_ASKED, Refusal.QUEUE_FULL, Refusal.STOPPING),
        ),
    ),
    Route(
        name="state",
        method="GET",
        path=f"/v1/queries/{ID}",
        audience="report collector",
        summary="How far a query is that this report collector submitted.",
        schema="QueryState",
        refusals=(Refusal.UNKNOWN_QUERY,),
    ),
    Route(
        name="withdraw",
        method="DELETE",
        path=f"/v1/queries/{ID}",
        audience="report collector",
        summary="Withdraw a query that waits, and say how far it is: what has begun goes on.",
        schema="QueryState",
        refusals=(Refusal.UNKNOWN_QUERY,),
    ),
    Route(
        name="result",
        method="GET",
        path=f"/v1/queries/{ID}/result",
        audience="report collector",
        summary="This helper party's shares of the sums of a query that is done.",
        schema="Result",
        refusals=(Refusal.UNKNOWN_QUERY, Refusal.NOT_DONE),
    ),
    Route(
        name="record",
        method="GET",
        path="/v1/record",
        audience="anybody",
        summary="The public record of all queries that were charged: a JSON object on each line.",
        schema="RecordedQuery",
        content_type=JSON_LINES,
    ),
    Route(
        name="configuration",
        method="GET",
        path="/v1/configuration",
        audience="anybody",
        summary="This helper party's part of the published configuration.",
        schema="Configuration",
    ),
    Route(
        name="openapi",
        method="GET",
        path="/openapi.json",
        audience="anybody",
        summary="This description.",
        schema="Description",
    ),
    Route(
        name="health",
        method="GET",
        path="/health",
        audience="anybody",
        summary="Whether it takes queries.",
        schema="Health",
    ),
    Route(
        name="metrics",
        method="GET",
        path="/metrics",
        audience="operator",
        summary="What it has counted since it started, as Prometheus reads it.",
        schema="Metrics",
        content_type=CONTENT_TYPE,
    ),
)
"""All of them; a path that two have differs in its method."""


def match(path: tuple[str, ...]) -> list[tuple[Route, str]]:
    """The routes of a path, one for each of its methods, and the query ID in it, if it has one."""
    found = []
    for route in ROUTES:
        pairs = list(zip(route.segments, path, strict=False))
        if len(route.segments) == len(path) and all(a in (ID, b) for a, b in pairs):
            query_id = next((given for wanted, given in pairs if wanted == ID), "")
            found.append((route, query_id))
    return found

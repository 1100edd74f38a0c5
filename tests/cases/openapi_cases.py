"""Answers of the front against what OpenAPI says of them, and what they can be about."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from http_cases import Answered
from intake_cases import HOME, PARAMETERS, world
from jsonschema import Draft202012Validator
from payment_cases import NOW

from ipa.budget.transparency import QueryRecord
from ipa.report_answer import Answer
from ipa.service.openapi import openapi
from ipa.service.routes import JSON_LINES, ROUTES
from ipa.sharing.shared_bits import ColumnPair


def schema_of(route_name: str, status: int, content_type: str) -> dict[str, Any]:
    """The schema of an answer, which the description must have."""
    route = next(route for route in ROUTES if route.name == route_name)
    operation = openapi()["paths"][route.path][route.method.lower()]
    contents = operation["responses"][str(status)]["content"]
    return {"components": openapi()["components"], **contents[content_type]["schema"]}


def check_answer(route_name: str, found: Answered) -> None:
    """Check that an answer is as the description says."""
    content_type = found.headers["content-type"]
    validator = Draft202012Validator(schema_of(route_name, found.status, content_type))
    if content_type == JSON_LINES:
        for line in found.body.decode().splitlines():
            validator.validate(json.loads(line))
    elif content_type.startswith("text/"):
        validator.validate(found.body.decode())
    else:
        validator.validate(found.json)


def charged_query(query_id: str, epsilon: Fraction) -> QueryRecord:
    """A query of HOME's collector that can be charged."""
    return QueryRecord(
        query_id=query_id,
        charged_at=NOW,
        network_name=HOME.network_name,
        site=HOME.site,
        report_collector=HOME.report_collector,
        epoch=HOME.epoch,
        match_key_provider=HOME.match_key_provider,
        fanout="source",
        epsilon=epsilon,
        delta=Fraction(1, 10**9),
        mechanism="laplace",
        cap=PARAMETERS.cap,
        rows=8,
        breakdowns=PARAMETERS.breakdowns,
    )


@cache
def done_answer() -> Answer:
    """An answer that a helper party can have given to the world's query."""
    columns: ColumnPair = ([1, 2, 3], [4, 5, 6])
    return Answer(columns, world().query, replace(PARAMETERS), 8, 8, {}, None, None)

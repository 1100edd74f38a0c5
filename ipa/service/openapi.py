"""The description of what a helper party answers over HTTP, in the form of OpenAPI 3.1.

It is made from the tables that the service itself goes by: its routes, its refusals, and the
parameters of a query.
"""

from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ipa.parameters import (
    MAX_BREAKDOWNS,
    MAX_FIELD_BITS,
    MAX_MATCH_KEY_BITS,
    MAX_REPORT_BOUND,
    QueryParameters,
)
from ipa.service.messages import JSON
from ipa.service.refusal import STATUS, Refusal
from ipa.service.routes import ID, ROUTES, STREAM_TYPE, Route
from ipa.service.schemas import SCHEMAS
from ipa.version import __version__

_NOT_ASKED = "match_keys_can_collide"
_FRACTION = r"^([0-9]{1,20}(\.[0-9]{1,40})?(e-[0-9]{1,2})?|[0-9]{1,40}/0*[1-9][0-9]{0,39})$"

RANGES: dict[str, tuple[int, int]] = {
    "breakdowns": (1, MAX_BREAKDOWNS),
    "cap": (1, (1 << MAX_FIELD_BITS) - 1),
    "attribution_window": (1, (1 << MAX_FIELD_BITS) - 1),
    "max_reports_per_match_key": (1, MAX_REPORT_BOUND),
    "match_key_bits": (1, MAX_MATCH_KEY_BITS),
    "attribution_constraint_id_bits": (1, MAX_FIELD_BITS),
    "timestamp_bits": (1, MAX_FIELD_BITS),
    "value_bits": (1, MAX_FIELD_BITS),
    "compressed_match_key_bits": (1, MAX_MATCH_KEY_BITS),
}
"""Least and greatest value of the parameters that are numbers."""


def openapi() -> dict[str, Any]:
    """The whole document; JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "One helper party of Interoperable Private Attribution",
            "version": __version__,
            "description": "Over TLS 1.3. Parties are known by the client certificates that the "
            "network published; anybody may ask without one what is for anybody. HEAD is "
            "answered where GET is.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "certificate": {
                    "type": "mutualTLS",
                    "description": "The certificate that the network published for the party.",
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"For {'anybody' if route.audience == 'anybody' else f'a {route.audience}'}.",
        "responses": _responses(route),
        "security": [] if route.audience == "anybody" else [{"certificate": []}],
    }
    parameters = [_id_parameter()] if ID in route.segments else []
    if route.takes_stream:
        parameters += query_parameters()
        operation["requestBody"] = {
            "required": True,
            "description": "The query stream, with its Content-Length.",
            "content": {STREAM_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    return operation | ({"parameters": parameters} if parameters else {})


def _responses(route: Route) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{route.schema}"}
    responses: dict[str, Any] = {
        str(route.status): {
            "description": "What was asked for.",
            "content": {route.content_type: {"schema": schema}},
        }
    }
    by_status: dict[int, list[Refusal]] = {}
    for refusal in route.all_refusals:
        by_status.setdefault(STATUS[refusal], []).append(refusal)
    for status, refusals in sorted(by_status.items()):
        said = {"properties": {"refusal": {"enum": [str(refusal) for refusal in refusals]}}}
        responses[str(status)] = {
            "description": f"Refused: {', '.join(refusals)}.",
            "content": {
                JSON: {"schema": {"allOf": [{"$ref": "#/components/schemas/Refusal"}, said]}}
            },
        }
    return responses


def _id_parameter() -> dict[str, Any]:
    return {
        "name": ID.strip("{}"),
        "in": "path",
        "required": True,
        "description": "The query's ID, a name that is new to this helper party.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def query_parameters() -> list[dict[str, Any]]:
    """The parameters of a query as those of a request, with their types, ranges and defaults."""
    hints = get_type_hints(QueryParameters)
    found = []
    for field in fields(QueryParameters):
        if field.name != _NOT_ASKED:
            schema = _schema(field.name, hints[field.name])
            if field.default is not MISSING and field.default is not None:
                is_number = schema["type"] == "integer"
                schema["default"] = field.default if is_number else str(field.default)
            found.append(_parameter(field.name, schema, required=field.default is MISSING))
    compressed = "compressed_match_key_bits"
    found.append(_parameter(compressed, _schema(compressed, int), required=False))
    return found


def _parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _schema(name: str, hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if name in RANGES:
        low, high = RANGES[name]
        return {"type": "integer", "minimum": low, "maximum": high}
    return {"type": "string", "pattern": _FRACTION}

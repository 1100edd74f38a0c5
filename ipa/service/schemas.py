"""What the answers of a helper party look like, as JSON Schema, by name."""

from typing import Any, get_args

from ipa.budget.transparency import QueryRecord
from ipa.client.keys import KemName, Status
from ipa.client.rejection import Reason
from ipa.client.shares import Sharing
from ipa.parameters import MAX_MATCH_KEY_BITS, Fanout, Mechanism
from ipa.parties import HELPERS
from ipa.service.queries import State
from ipa.service.refusal import Refusal

_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_HEX = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
_DECIMAL = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(e-[0-9]+)?$"}
_WIDTH = {"type": "integer", "minimum": 1, "maximum": MAX_MATCH_KEY_BITS}


def _count(least: int = 0) -> dict[str, Any]:
    return {"type": "integer", "minimum": least}


def _one_of(choices: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [str(choice) for choice in choices]}


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


def _list_of(items: dict[str, Any], **lengths: int) -> dict[str, Any]:
    return {"type": "array", "items": items, **lengths}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_RECORD_FIELDS: dict[str, dict[str, Any]] = {
    "charged_at": {"type": "string", "format": "date-time"},
    "epoch": _count(),
    "fanout": _one_of(get_args(Fanout)),
    "epsilon": _DECIMAL,
    "delta": _DECIMAL,
    "mechanism": _one_of(get_args(Mechanism)),
    "cap": _count(1),
    "rows": _count(),
    "breakdowns": _count(1),
}

_RECORD = {name: _RECORD_FIELDS.get(name, _NAME) for name in QueryRecord.__dataclass_fields__}

_KEY = _object(
    {
        "key_id": _count(),
        "kem": _one_of(get_args(KemName)),
        "status": _one_of(get_args(Status)),
        "public_key": _HEX,
    }
)

_RECEIPT = _object(
    {
        "number": _count(1),
        "query": _object(_RECORD),
        "remaining": _object({"epsilon": _DECIMAL, "delta": _DECIMAL}),
    }
)

_COMPRESSION = _object(
    {
        "match_key_bits": _WIDTH,
        "collision_probability": {"type": "string", "pattern": "^[0-9]+/[0-9]+$"},
    }
)

_RESULT = _object(
    {
        "format": {"const": "ipa-result/1"},
        "helper": {"type": "integer", "enum": list(HELPERS)},
        "query_id": _NAME,
        "query": _HEX,
        "parameters": {"type": "object", "additionalProperties": _TEXT},
        "rows": _count(),
        "submitted": _count(),
        "dropped": {
            "type": "object",
            "propertyNames": _one_of(Reason),
            "additionalProperties": _count(1),
        },
        "receipt": _or_none(_RECEIPT),
        "compression": _or_none(_COMPRESSION),
        "shares": _list_of(_list_of(_HEX), minItems=2, maxItems=2),
    }
)

_CONFIGURATION = _object(
    {
        "format": {"const": "ipa-helper/1"},
        "network": _NAME,
        "match_key_bits": _WIDTH,
        "sharing": _one_of(get_args(Sharing)),
        "helper": {"type": "integer", "enum": list(HELPERS)},
        "keys": _list_of(_KEY, minItems=1),
        "service": _or_none(_object({"address": _TEXT, "certificate": _TEXT})),
        "report_collectors": _list_of(_object({"name": _NAME, "certificate": _TEXT})),
    }
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "Submitted": _object({"query_id": _NAME, "state": {"const": str(State.WAITING)}}),
    "QueryState": _object(
        {"query_id": _NAME, "state": _one_of(State), "step": _TEXT, "reason": _TEXT}
    ),
    "Result": _RESULT,
    "RecordedQuery": _object({**_RECORD, "rows_used": _or_none(_count())}),
    "Configuration": _CONFIGURATION,
    "Description": {"type": "object", "required": ["openapi", "info", "paths"]},
    "Health": _object({"status": _one_of(("ok", "stopping"))}),
    "Metrics": _TEXT,
    "Refusal": _object(
        {"refusal": _one_of(Refusal), "problem": {"type": "string", "minLength": 1}}
    ),
}
"""Of each answer, and of every refusal. What is on a line of JSON Lines has its own."""

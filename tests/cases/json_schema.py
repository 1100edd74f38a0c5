"""The part of JSON Schema (draft 2020-12) that the schemas of the vectors use."""

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}

KEYWORDS = {
    *("$schema", "$comment", "$defs", "$ref", "title", "description"),  # said, or looked up
    *("type", "enum", "const", "oneOf", "pattern", "minimum"),
    *("items", "minItems", "maxItems", "required", "properties", "additionalProperties"),
}


def check(schema: dict[str, Any], value: Any, at: str, defs: dict[str, Any]) -> None:
    """Check that `value` fits `schema`, whose references are to `defs`; `at` is where it stands.

    Raises: AssertionError where it does not; ValueError for a keyword that is not checked here.
    """
    if unknown := set(schema) - KEYWORDS:
        raise ValueError(f"{at}: keywords {sorted(unknown)}")
    if "$ref" in schema:
        check(defs[schema["$ref"].removeprefix("#/$defs/")], value, at, defs)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert isinstance(value, tuple(TYPES[kind] for kind in kinds)), at
        assert isinstance(value, bool) <= ("boolean" in kinds), at
    assert value in schema.get("enum", [value]), at
    assert value == schema.get("const", value), at
    if "oneOf" in schema:
        fitting = [one for one in schema["oneOf"] if fits(one, value, at, defs)]
        assert len(fitting) == 1, f"{at}: fits {len(fitting)} of the schemas offered"
    if "pattern" in schema and isinstance(value, str):
        assert re.search(schema["pattern"], value), at
    if "minimum" in schema:
        assert value >= schema["minimum"], at
    if isinstance(value, list):
        _check_items(schema, value, at, defs)
    if isinstance(value, dict):
        _check_properties(schema, value, at, defs)


def fits(schema: dict[str, Any], value: Any, at: str, defs: dict[str, Any]) -> bool:
    """Whether `value` fits."""
    try:
        check(schema, value, at, defs)
    except AssertionError:
        return False
    return True


def _check_items(schema: dict[str, Any], value: list[Any], at: str, defs: dict[str, Any]) -> None:
    assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), at
    for number, item in enumerate(value):
        check(schema.get("items", {}), item, f"{at}[{number}]", defs)


def _check_properties(
    schema: dict[str, Any], value: dict[str, Any], at: str, defs: dict[str, Any]
) -> None:
    assert set(schema.get("required", ())) <= set(value), at
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is False:
        assert set(value) <= set(properties), f"{at}: {sorted(set(value) - set(properties))}"
    for name, inner in properties.items():
        if name in value:
            check(inner, value[name], f"{at}.{name}", defs)

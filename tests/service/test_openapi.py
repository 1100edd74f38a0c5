"""The description of the front against the front, the parameters of queries, and OpenAPI itself."""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from answer_cases import Answered as AnsweredQuery
from answer_cases import exact, paid
from http_cases import COLLECTOR, OPERATOR, Answered, ask, new_front, submit
from jsonschema import Draft202012Validator, ValidationError
from openapi_cases import check_answer, done_answer

from ipa.errors import ParameterError
from ipa.service.asked import asked_from_text
from ipa.service.front import _ANSWERS
from ipa.service.openapi import RANGES, openapi, query_parameters
from ipa.service.refusal import STATUS, Refusal
from ipa.service.results import answer_to_json
from ipa.service.routes import ROUTES, match

ask_asked = partial(asked_from_text, "q", "news.example")


def test_every_route_is_described_and_answered_and_nothing_else() -> None:
    described = {
        (method.upper(), path, operation["operationId"])
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {(route.method, route.path, route.name) for route in ROUTES}
    assert set(_ANSWERS) == {route.name for route in ROUTES}
    front = new_front()
    for route in ROUTES:
        path = route.path.replace("{query_id}", "q-1")
        party = OPERATOR if route.audience == "operator" else COLLECTOR
        assert route in [found for found, _ in match(tuple(path[1:].split("/")))]
        assert ask(front, party, route.method, path).refusal != Refusal.UNKNOWN_PATH


def every_answer() -> dict[str, Answered]:
    """What each route answers, when it does."""
    front = new_front()
    found = {"submit": submit(front), "state": ask(front, COLLECTOR, "GET", "/v1/queries/q-1")}
    (query,) = front.queries.waiting()
    front.queries.begin(query)
    front.queries.done(query, done_answer())
    for route in ROUTES:
        path = route.path.replace("{query_id}", "q-1")
        party = OPERATOR if route.audience == "operator" else COLLECTOR
        found.setdefault(route.name, ask(front, party, route.method, path))
    return found


def test_every_answer_is_as_described() -> None:
    found = every_answer()
    assert set(found) == {route.name for route in ROUTES}
    for route in ROUTES:
        assert found[route.name].status == route.status
        check_answer(route.name, found[route.name])


@pytest.mark.parametrize("made", [exact, paid])
def test_every_helpers_result_is_as_described(made: Callable[[], AnsweredQuery]) -> None:
    for helper, answer in made().answers.items():
        data = json.dumps(answer_to_json(helper, "query-1", answer)).encode()
        check_answer("result", Answered(200, {"content-type": "application/json"}, data))


@pytest.mark.parametrize("name", ["state", "result", "configuration", "health"])
def test_an_answer_that_is_not_as_described_is_found(name: str) -> None:
    found = every_answer()[name]
    for member in found.json:
        less = {other: value for other, value in found.json.items() if other != member}
        for changed in (less, found.json | {member: [None]}, found.json | {"novel": 1}):
            with pytest.raises(ValidationError):
                check_answer(name, Answered(200, found.headers, json.dumps(changed).encode()))


def test_every_refusal_has_a_status_and_a_route_or_is_of_no_route() -> None:
    assert set(STATUS) == set(Refusal)
    of_routes = {refusal for route in ROUTES for refusal in route.all_refusals}
    assert set(Refusal) - of_routes == {Refusal.UNKNOWN_PATH, Refusal.WRONG_METHOD}


def test_the_ranges_of_parameters_are_those_of_queries() -> None:
    widest = {"breakdowns": "2", "cap": "1", "timestamp_bits": "64"}
    for name, (low, high) in RANGES.items():
        for value in (low, high):
            ask_asked(widest | {name: str(value)})
        for value in (low - 1, high + 1):
            with pytest.raises(ParameterError):
                ask_asked(widest | {name: str(value)})


def test_the_parameters_are_those_that_can_be_asked() -> None:
    parameters = {parameter["name"]: parameter for parameter in query_parameters()}
    given = {"breakdowns": "2", "cap": "1"}
    assert {name for name, found in parameters.items() if found["required"]} == set(given)
    default = ask_asked(given).parameters
    for name, parameter in parameters.items():
        schema = parameter["schema"]
        for choice in schema.get("enum", ()):
            ask_asked(given | {name: choice})
        if "default" in schema:
            assert ask_asked(given | {name: str(schema["default"])}).parameters == default
            assert str(schema["default"]) == str(getattr(default, name))
        with pytest.raises(ParameterError):
            ask_asked(given | {name: "-"})
    for text, fits in (("0.5", True), ("1e-9", True), ("1/3", True), ("1/0", False), ("-1", False)):
        assert bool(re.search(parameters["epsilon"]["schema"]["pattern"], text)) == fits
    assert ask_asked(given | {"epsilon": "1/3"}).parameters.epsilon == Fraction(1, 3)


def schemas_in(part: Any) -> list[Any]:
    """Every schema in a part of the description."""
    if isinstance(part, list):
        return [schema for item in part for schema in schemas_in(item)]
    if not isinstance(part, dict):
        return []
    own = [part["schema"]] if isinstance(part.get("schema"), dict) else []
    return own + [schema for item in part.values() for schema in schemas_in(item)]


def test_it_is_openapi() -> None:
    document = json.loads(json.dumps(openapi()))
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert set(document) == {"openapi", "info", "paths", "components"}
    assert {"title", "version"} <= set(document["info"])
    named = document["components"]["schemas"]
    for schema in [*schemas_in(document["paths"]), *named.values()]:
        Draft202012Validator.check_schema(schema)
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(document))
    assert {f"#/components/schemas/{name}" for name in named} == set(references)
    names = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert method in ("get", "put", "delete") and operation["responses"]
            in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path))
            assert all(p["required"] for p in operation.get("parameters", ()) if p["in"] == "path")
            for status, response in operation["responses"].items():
                assert re.fullmatch("[1-5][0-9][0-9]", status) and response["description"]
            for scheme in operation["security"]:
                assert set(scheme) <= set(document["components"]["securitySchemes"])
    assert len(names) == len(set(names))

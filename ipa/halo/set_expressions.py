"""Set expressions over audiences, and how to compute their reach from unions alone.

The protocols measure unions. The size of any other expression is a sum of sizes of unions with
integer weights, by inclusion and exclusion over the regions of the Venn diagram. A union of named
sets is written as an integer, one bit per set, in the order the names are given.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Literal, TypeVar, cast

from ipa.errors import ParameterError

MAX_SETS = 12
"""The most sets of one expression: the number of unions grows as two to this."""

_TOKEN = re.compile(r"""\s*(?:(?P<name>[\w.:]+)|"(?P<quoted>[^"]+)"|(?P<sign>[()|&-]))""")

Operator = Literal["|", "&", "-"]

T = TypeVar("T")


@dataclass(frozen=True)
class Operation:
    """Two expressions joined: `|` union, `&` intersection, `-` difference."""

    operator: Operator
    left: "SetExpression"
    right: "SetExpression"


SetExpression = str | Operation
"""The name of a set, or an operation."""


def parse_expression(text: str) -> SetExpression:
    """An expression from text such as `(news | video) & tv - "radio one"`.

    `&` binds tighter than `|` and `-`, which bind alike, from the left. A name that has other
    characters than letters, digits, `_`, `.` and `:` stands in double quotes.

    Raises: ParameterError for anything else.
    """
    tokens = _tokens(text)
    expression = _sum(tokens, text)
    if tokens:
        raise ParameterError(f"set expression {text!r}: {tokens[0]!r} was not expected")
    return expression


def names_of(expression: SetExpression) -> tuple[str, ...]:
    """The names of the sets in an expression, each once, sorted."""
    if isinstance(expression, str):
        return (expression,)
    return tuple(sorted({*names_of(expression.left), *names_of(expression.right)}))


def evaluate(expression: SetExpression, sets: Mapping[str, frozenset[T]]) -> frozenset[T]:
    """The set that an expression means, where `sets` has the named ones."""
    if isinstance(expression, str):
        return sets[expression]
    left, right = evaluate(expression.left, sets), evaluate(expression.right, sets)
    if expression.operator == "|":
        return left | right
    return left & right if expression.operator == "&" else left - right


def region_weights(region: int, sets: int) -> dict[int, int]:
    """The size of one region of the Venn diagram of `sets` sets as a sum over unions.

    Bit i of `region` says whether the region lies inside set i. The result maps unions to weights.
    With P the sets around the region and Z the others: sum over T in P of
    (-1)^(|T| + 1) |union of Z and T|.
    """
    inside = [1 << bit for bit in range(sets) if region >> bit & 1]
    outside = (1 << sets) - 1 - region
    weights = {}
    for chosen in chain.from_iterable(combinations(inside, n) for n in range(len(inside) + 1)):
        if union := outside + sum(chosen):
            weights[union] = 1 if len(chosen) % 2 else -1
    return weights


def union_weights(expression: SetExpression, names: Sequence[str]) -> dict[int, int]:
    """The size of an expression as a sum over unions: weights that are not 0, by union.

    Bit i of a union stands for `names[i]`.

    Cost: at most 2^k - 1 unions for k names.
    Raises: ParameterError for a name that `names` lacks and for more than `MAX_SETS` names.
    """
    for name in names_of(expression):
        if name not in names:
            known = ", ".join(names)
            raise ParameterError(f"set expression: there is no set {name!r}; there are {known}")
    if len(names) > MAX_SETS:
        raise ParameterError(f"a set expression may have {MAX_SETS} sets, not {len(names)}")
    regions = range(1, 1 << len(names))
    sets = {
        name: frozenset(region for region in regions if region >> bit & 1)
        for bit, name in enumerate(names)
    }
    weights: Counter[int] = Counter()
    for region in evaluate(expression, sets):
        weights.update(region_weights(region, len(names)))
    return {union: weight for union, weight in sorted(weights.items()) if weight}


def _tokens(text: str) -> list[str]:
    """Names and signs in order; a quoted name keeps its opening quote, to tell it from a sign."""
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise ParameterError(f"set expression {text!r}: cannot be read from character {at + 1}")
        quoted = found["quoted"]
        tokens.append(f'"{quoted}' if quoted else found["sign"] or f'"{found["name"]}')
        at = found.end()
    return tokens


def _sum(tokens: list[str], text: str) -> SetExpression:
    expression = _product(tokens, text)
    while tokens and tokens[0] in "|-":
        operator = cast(Operator, tokens.pop(0))
        expression = Operation(operator, expression, _product(tokens, text))
    return expression


def _product(tokens: list[str], text: str) -> SetExpression:
    expression = _term(tokens, text)
    while tokens and tokens[0] == "&":
        tokens.pop(0)
        expression = Operation("&", expression, _term(tokens, text))
    return expression


def _term(tokens: list[str], text: str) -> SetExpression:
    token = tokens.pop(0) if tokens else "the end"
    if token.startswith('"'):
        return token[1:]
    if token != "(":
        raise ParameterError(f"set expression {text!r}: a name was expected, not {token}")
    expression = _sum(tokens, text)
    if not tokens or tokens.pop(0) != ")":
        raise ParameterError(f"set expression {text!r}: a ) is missing")
    return expression

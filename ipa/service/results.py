"""A helper party's answer as JSON: its shares of the sums, and what all helpers say alike.

A report collector asks each helper party for its own, and no helper ever sees another's. What comes
may be anything: whatever is no answer to the query that was asked is refused, and the helper named.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from ipa.budget.composition import EpsilonDelta
from ipa.budget.ledger import Receipt
from ipa.budget.transparency import published, record_from_published
from ipa.client.encoding import Reader
from ipa.client.fanout_query import FanoutQuery
from ipa.client.rejection import Reason
from ipa.errors import InputError, ParameterError, VerificationError
from ipa.noise.choice import noise_for
from ipa.noise.width import signed_width
from ipa.parameters import QueryParameters, bits_for
from ipa.ranges import check_integer, fraction_from_text
from ipa.report_answer import Answer, Compression
from ipa.result import noise_in
from ipa.service.asked import Asked, asked_from_text, asked_to_text
from ipa.sharing.linear_hash import collision_probability
from ipa.sharing.shared_bits import ColumnPair

ANSWER_FORMAT = "ipa-result/1"

MAX_REPORTS = (1 << 32) - 1
"""The most reports that a stream can hold."""

_LARGEST_NUMBER = (1 << 63) - 1
_BYTES_BESIDE_SHARES = 1 << 16
_MEMBERS = (
    *("format", "helper", "query_id", "query", "parameters", "rows", "submitted", "dropped"),
    *("receipt", "compression", "shares"),
)


def answer_to_json(helper: int, query_id: str, answer: Answer) -> dict[str, object]:
    """The answer of helper party `helper` to the query with this ID; its shares are in it."""
    receipt, compression = answer.receipt, answer.compression
    return {
        "format": ANSWER_FORMAT,
        "helper": helper,
        "query_id": query_id,
        "query": answer.query.to_bytes().hex(),
        "parameters": asked_to_text(_asked(query_id, answer)),
        "rows": answer.rows,
        "submitted": answer.submitted,
        "dropped": {str(reason): count for reason, count in answer.dropped.items()},
        "receipt": None
        if receipt is None
        else {
            "number": receipt.number,
            "query": published(receipt.query),
            "remaining": receipt.remaining.texts(),
        },
        "compression": None if compression is None else _compression_to_json(compression),
        "shares": [
            [_column_to_hex(column, answer.parameters.breakdowns) for column in columns]
            for columns in answer.pair
        ],
    }


def _asked(query_id: str, answer: Answer) -> Asked:
    """What was asked, from what was computed with: match keys may have been compressed since."""
    compression = answer.compression
    return Asked(
        query_id=query_id,
        submitter=answer.query.context.report_collector,
        parameters=replace(
            answer.parameters,
            match_key_bits=answer.query.match_key_bits,
            match_keys_can_collide=False,
        ),
        compressed_match_key_bits=None if compression is None else compression.match_key_bits,
    )


def _compression_to_json(compression: Compression) -> dict[str, object]:
    probability = compression.collision_probability
    return {
        "match_key_bits": compression.match_key_bits,
        "collision_probability": f"{probability.numerator}/{probability.denominator}",
    }


def _column_to_hex(column: int, rows: int) -> str:
    return column.to_bytes((rows + 7) // 8, "big").hex()


def most_answer_bytes(asked: Asked) -> int:
    """How long an answer to this query can be, as JSON."""
    parameters = _computed_with(asked)
    column = 2 * ((parameters.breakdowns + 7) // 8) + len('"", ')
    return 2 * _most_columns(parameters) * column + _BYTES_BESIDE_SHARES


def _computed_with(asked: Asked) -> QueryParameters:
    """The parameters that helpers compute with: match keys that they compress can collide."""
    bits = asked.compressed_match_key_bits
    if bits is None:
        return asked.parameters
    return replace(asked.parameters, match_key_bits=bits, match_keys_can_collide=True)


def _most_columns(parameters: QueryParameters) -> int:
    """How wide the sums of any number of reports can be, in bits."""
    width = 1 if parameters.aggregate == "count" else parameters.value_bits
    largest = MAX_REPORTS * ((1 << width) - 1)
    noise = noise_for(parameters)
    return bits_for(largest) if noise is None else signed_width(largest, noise.largest)


def answer_from_json(data: bytes, helper: int, asked: Asked) -> Answer:
    """The answer that helper party `helper` gave to the query that was asked.

    Raises: VerificationError, step `release`, that names the helper, for bytes that `answer_to_json`
        does not write for this query.
    """
    try:
        return _read(data, helper, asked)
    except (InputError, ParameterError) as error:
        problem = f"H{helper} sends no answer to this query: {error}"
    raise VerificationError("release", problem)


def _read(data: bytes, helper: int, asked: Asked) -> Answer:
    answer = None
    with suppress(ValueError, RecursionError):  # what is raised holds the whole text
        answer = json.loads(data)
    members = _members("the answer", answer, _MEMBERS)
    _check_same("format", members["format"], ANSWER_FORMAT)
    check_integer("helper", members["helper"], helper, helper)
    _check_same("query_id", members["query_id"], asked.query_id)
    _check_asked(members["parameters"], asked)
    query = _query(members["query"])
    check_integer("submitted", members["submitted"], 0, MAX_REPORTS)
    submitted: int = members["submitted"]
    check_integer("rows", members["rows"], 0, submitted)
    rows: int = members["rows"]
    dropped = _dropped(members["dropped"])
    if rows + sum(dropped.values()) != submitted:
        _refuse(f"{rows} reports used and {sum(dropped.values())} dropped are not {submitted}")
    parameters = _computed_with(asked)
    return Answer(
        pair=_shares(members["shares"], parameters),
        query=query,
        parameters=parameters,
        rows=rows,
        submitted=submitted,
        dropped=dropped,
        receipt=_receipt(members["receipt"], asked, query, submitted),
        compression=_compression(members["compression"], asked.compressed_match_key_bits, rows),
    )


def _refuse(problem: str) -> NoReturn:
    raise InputError(problem)


def _members(what: str, value: object, names: Sequence[str]) -> Mapping[str, Any]:
    """The members of a JSON object, of which each must be there and no other."""
    if not isinstance(value, dict):
        _refuse(f"{what} must be a JSON object")
    for name in names:
        if name not in value:
            _refuse(f"{what} has no {name}")
    if len(value) > len(names):
        _refuse(f"{what} has members that do not belong there")
    return value


def _check_same(name: str, found: object, expected: str) -> None:
    if found != expected:
        _refuse(f"{name} must be {expected!r}")


def _check_asked(given: object, asked: Asked) -> None:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        _refuse("parameters must be a JSON object of texts")
    if asked_from_text(asked.query_id, asked.submitter, given) != asked:
        _refuse("it was asked with other parameters")


def _query(text: object) -> FanoutQuery:
    reader = Reader(_bytes("query", text), "the query")
    query = FanoutQuery.read(reader)
    reader.finish()
    return query


def _bytes(name: str, text: object) -> bytes:
    if isinstance(text, str):
        with suppress(ValueError):
            data = bytes.fromhex(text)
            if data.hex() == text:
                return data
    _refuse(f"{name} must be lower-case hexadecimal")


def _dropped(counts: object) -> dict[Reason, int]:
    known = {str(reason): reason for reason in Reason}
    if not isinstance(counts, dict) or not set(counts) <= set(known):
        _refuse("dropped must be a JSON object of counts by reason")
    for count in counts.values():
        check_integer("dropped", count, 1, MAX_REPORTS)
    return {known[name]: count for name, count in counts.items()}


def _receipt(given: object, asked: Asked, query: FanoutQuery, submitted: int) -> Receipt | None:
    """What the helper charged, which must be for this very query."""
    if given is None:
        return None
    members = _members("receipt", given, ("number", "query", "remaining"))
    check_integer("number", members["number"], 1, _LARGEST_NUMBER)
    shown = members["query"]
    if not isinstance(shown, dict):
        _refuse("the receipt's query must be a JSON object")
    promise = noise_in(asked.parameters)
    if promise is None:
        _refuse("there is a receipt, and exact sums are never paid for")
    record = record_from_published(shown)
    context, parameters = query.context, asked.parameters
    expected = replace(
        record,
        query_id=asked.query_id,
        network_name=context.network_name,
        site=context.site,
        report_collector=context.report_collector,
        epoch=context.epoch,
        match_key_provider=context.match_key_provider,
        fanout=query.fanout,
        epsilon=promise.epsilon,
        delta=promise.delta,
        mechanism=parameters.mechanism,
        cap=parameters.cap,
        rows=submitted,
        breakdowns=parameters.breakdowns,
    )
    if record != expected:
        _refuse("the receipt is for another query")
    remaining = _members("remaining", members["remaining"], ("epsilon", "delta"))
    if not all(isinstance(text, str) for text in remaining.values()):
        _refuse("remaining must be decimals as texts")
    left = EpsilonDelta(
        epsilon=fraction_from_text("remaining epsilon", remaining["epsilon"]),
        delta=fraction_from_text("remaining delta", remaining["delta"]),
    )
    if left.texts() != remaining:
        _refuse("remaining must be shortest decimals")
    return Receipt(query=record, number=members["number"], remaining=left)


def _compression(given: object, bits: int | None, rows: int) -> Compression | None:
    """What follows from how many reports there are: it is known, and only compared."""
    expected = None if bits is None else Compression(bits, collision_probability(rows, bits))
    if given != (None if expected is None else _compression_to_json(expected)):
        _refuse("compression is not what was asked")
    return expected


def _shares(given: object, parameters: QueryParameters) -> ColumnPair:
    """The pair of shares: two lists of equally many columns, of one bit for each breakdown key."""
    if not isinstance(given, list) or len(given) != 2:
        _refuse("shares must be two lists")
    first, second = given
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        _refuse("shares must be two lists of the same length")
    if len(first) > (most := _most_columns(parameters)):
        _refuse(f"shares have {len(first)} columns, and sums at most {most} bits")
    rows = parameters.breakdowns
    return ([_column(text, rows) for text in first], [_column(text, rows) for text in second])


def _column(text: object, rows: int) -> int:
    data = _bytes("a column", text)
    column = int.from_bytes(data, "big")
    if len(data) != (rows + 7) // 8 or column.bit_length() > rows:
        _refuse(f"a column must have {rows} bits")
    return column

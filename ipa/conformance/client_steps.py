"""The right answers to the cases of `client/`: the bytes of encrypted match keys and of reports' data.

They come from the client's own formats (SPEC_NOTES.md, Byte formats). Ciphertexts are given, never made:
HPKE draws its own randomness.
"""

from collections.abc import Callable, Mapping

from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    ReportContext,
    encode_match_key,
    open_match_key,
)
from ipa.client.fanout_query import FanoutQuery, FieldWidths
from ipa.client.keys import PrivateKey
from ipa.client.report_format import field_widths, info, info_prefix, pack
from ipa.client.shares import SHARINGS, encode_shares, shares_held
from ipa.conformance.json_values import Json, integers, numbers, refused_at
from ipa.errors import RefusedCaseError, ReportError


def context_from_json(given: Json) -> ReportContext:
    """A context, whose network is called `network` in JSON.

    Raises: RefusedCaseError, stage `context`, for a name or an epoch that cannot be.
    """
    names = {name: value for name, value in given.items() if name != "network"}
    with refused_at("context", "range"):
        return ReportContext(network_name=given["network"], **names)


def context_to_json(context: ReportContext) -> Json:
    """The inverse of context_from_json."""
    return {name.replace("network_name", "network"): value for name, value in vars(context).items()}


def query_from_json(given: Json) -> FanoutQuery:
    """A fanout query.

    Raises: RefusedCaseError, stage `query`, for one that cannot be.
    """
    context = context_from_json(given["context"])
    with refused_at("query", "range"):
        return FanoutQuery(
            **{**given, "context": context, "widths": FieldWidths(**given["widths"])}
        )


def query_to_json(query: FanoutQuery) -> Json:
    """The inverse of query_from_json."""
    return {
        **vars(query),
        "context": context_to_json(query.context),
        "widths": dict(vars(query.widths)),
    }


def _match_key_info(given: Json) -> Json:
    context = context_from_json(given["context"])
    of_key = given["helper"], given["key_id"], given["match_key_bits"], given["sharing"]
    return {"info": context.info(*of_key).hex()}


def _match_key_plaintext(given: Json) -> Json:
    shares, width = tuple(integers(given["shares"])), given["match_key_bits"]
    nonces = tuple(bytes.fromhex(nonce) for nonce in given["nonces"])
    if len(shares) != len(nonces):
        raise RefusedCaseError("input", "mismatch")
    if any(share < 0 or share >> width for share in shares):
        raise RefusedCaseError("input", "range")
    return {"plaintext": encode_match_key(shares, nonces, width).hex()}


def _parsed(data: bytes) -> EncryptedMatchKey:
    try:
        return EncryptedMatchKey.from_bytes(data)
    except ReportError as error:
        raise RefusedCaseError("parse", str(error.reason)) from error


def _parse_match_key(given: Json) -> Json:
    parsed = _parsed(bytes.fromhex(given["bytes"]))
    return {
        "context": context_to_json(parsed.context),
        "sealed": [
            {"key_id": part.key_id, "ciphertext": part.ciphertext.hex()} for part in parsed.sealed
        ],
    }


def _open_match_key(given: Json) -> Json:
    """A helper's shares and nonces, with the private key that the ciphertext names."""
    helper, width = given["helper"], given["match_key_bits"]
    parsed = _parsed(bytes.fromhex(given["bytes"]))
    sharing = SHARINGS[len(parsed.sealed)]
    if helper > len(parsed.sealed):
        raise RefusedCaseError("open", "unknown or retired key")
    sealed = parsed.sealed[helper - 1]
    if sealed.key_id != given["key_id"]:
        raise RefusedCaseError("open", "unknown or retired key")
    key = PrivateKey(given["key_id"], given["kem"], bytes.fromhex(given["private_key"]))
    bound = parsed.context.info(helper, sealed.key_id, width, sharing)
    count = shares_held(sharing, helper)
    try:
        shares, nonces = open_match_key(key, bound, sealed.ciphertext, width, count)
    except ReportError as error:
        raise RefusedCaseError("open", str(error.reason)) from error
    return {"shares": numbers(shares), "nonces": [nonce.hex() for nonce in nonces]}


def _data_info(given: Json) -> Json:
    query = query_from_json(given["query"])
    if given["part"] >= (1 if query.form == "packed" else 3):
        raise RefusedCaseError("input", "range")
    prefix = info_prefix(query, given["helper"], given["kind"], given["part"], given["key_id"])
    return {"info": info(prefix, bytes.fromhex(given["match_key_ciphertext"])).hex()}


def _data_plaintext(given: Json) -> Json:
    """What is sealed for a helper in the packed form: its shares of constraint, time and the last field."""
    widths = field_widths(_widths(given["widths"]), given["kind"])
    shares = [tuple(integers(fields)) for fields in given["shares"]]
    for fields in shares:
        if any(value < 0 or value >> width for value, width in zip(fields, widths, strict=True)):
            raise RefusedCaseError("input", "range")
    packed = tuple(pack(fields, widths) for fields in shares)
    return {"plaintext": encode_shares(packed, sum(widths)).hex()}


def _widths(given: Json) -> FieldWidths:
    with refused_at("query", "range"):
        return FieldWidths(**given)


CLIENT_STEPS: Mapping[str, Callable[[Json], Json]] = {
    "match-key-info": _match_key_info,
    "match-key-plaintext": _match_key_plaintext,
    "parse-match-key": _parse_match_key,
    "open-match-key": _open_match_key,
    "data-info": _data_info,
    "data-plaintext": _data_plaintext,
}
"""By name, what answers a case of the step."""

"""A query is charged in the three helpers' ledgers: in all of them before a report is opened.

Spec: Differential Privacy Budget Management ("The helper party network will need to maintain this
budget"). Each helper has a ledger of its own, and tells the others nothing but what they must have in
common (SPEC_NOTES: three-ledgers).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ipa.budget.ledger import Ledger, Receipt, ask, charge, charges, settings, settle, was_asked
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError, InputError, MismatchError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.parties import HELPERS
from ipa.protocols.primitives.abort import aborting_together
from ipa.protocols.primitives.broadcast import broadcast

MAX_LIST_BYTES = 1 << 28
"""The longest list of one budget's charges that helpers tell each other."""

_YES, _NO = b"\x01", b"\x00"
_DIGEST_BYTES, _TIME_BYTES, _LENGTH_BYTES = 32, 8, 4
_VIEW_BYTES = 2 * _DIGEST_BYTES + _TIME_BYTES + _LENGTH_BYTES


@dataclass(frozen=True)
class _View:
    """What a helper tells first: what it was asked, its clock, and what its ledger has."""

    question: bytes
    clock: int
    list_digest: bytes
    list_bytes: int

    def to_bytes(self) -> bytes:
        """Question, clock, list digest and list length, as SPEC_NOTES says."""
        return (
            self.question
            + self.clock.to_bytes(_TIME_BYTES, "big")
            + self.list_digest
            + self.list_bytes.to_bytes(_LENGTH_BYTES, "big")
        )

    @classmethod
    def of(cls, told: bytes) -> "_View":
        """The view in what another helper told."""
        question, rest = told[:_DIGEST_BYTES], told[_DIGEST_BYTES:]
        clock, rest = rest[:_TIME_BYTES], rest[_TIME_BYTES:]
        digest, length = rest[:_DIGEST_BYTES], rest[_DIGEST_BYTES:]
        return cls(question, int.from_bytes(clock, "big"), digest, int.from_bytes(length, "big"))


def charge_together(
    network: HelperPartyNetwork, ledgers: Mapping[int, Ledger], asked: Mapping[int, QueryRecord]
) -> dict[int, Receipt]:
    """Charge a query in the ledgers of all three helpers, or refuse it at all of them.

    `ledgers` and `asked` are the local helpers'; `charged_at` is each helper's own clock, and the
    middle one of the three clocks is recorded. First the helpers compare what was charged to this
    budget before, and take over what only some have (`settle`). Then each notes that it would pay,
    and says so; then each charges, and says so. When this returns, all three have charged.

    Cost: six rounds and 348 bytes per helper; two rounds more, and the list of charges, if they
    differ.
    Reveals: to the helpers their clocks, and what is charged, which is public.
    Raises: BudgetError, at all helpers, if one of them refuses or was asked something else; charges
    that were made by then stay. VerificationError if a helper does not tell everybody the same, or
    claims a charge that nobody agreed to. MismatchError for the ledger of another helper.
    """
    with aborting_together(network), network.step("budget"):
        _check_owners(network, ledgers)
        receipts, refusal = _charge(network, ledgers, asked)
    if refusal is not None:  # raised out here: all helpers know of it, none needs to be told
        raise refusal
    return receipts


def _check_owners(network: HelperPartyNetwork, ledgers: Mapping[int, Ledger]) -> None:
    for helper in network.helpers:
        if settings(ledgers[helper]).helper != helper:
            raise MismatchError(
                f"{ledgers[helper].path}: this is not the ledger of helper {helper}"
            )


def _charge(
    network: HelperPartyNetwork, ledgers: Mapping[int, Ledger], asked: Mapping[int, QueryRecord]
) -> tuple[dict[int, Receipt], BudgetError | None]:
    lists = {helper: _charges(ledgers[helper], asked[helper]) for helper in network.helpers}
    with network.step("compare"):
        own = {helper: _view(asked[helper], lists[helper]) for helper in network.helpers}
        told = broadcast(network, {h: view.to_bytes() for h, view in own.items()}, _VIEW_BYTES)
    views = {helper: _View.of(told[helper]) for helper in HELPERS}
    if len({view.question for view in views.values()}) > 1:
        return {}, BudgetError("the helpers were asked to charge different queries")
    if len({view.list_digest for view in views.values()}) > 1:
        _settle(network, ledgers, asked, lists, views)
    _, middle, _ = sorted(view.clock for view in views.values())
    agreed = {h: replace(asked[h], charged_at=middle) for h in network.helpers}
    refusals = {}
    for helper, query in agreed.items():
        try:
            ask(ledgers[helper], query)
        except BudgetError as error:
            refusals[helper] = error
    if refusal := _first_refusal(network, "verdict", refusals):
        return {}, refusal
    receipts = {}
    for helper, query in agreed.items():
        try:
            receipts[helper] = charge(ledgers[helper], query)
        except BudgetError as error:
            refusals[helper] = error
    return receipts, _first_refusal(network, "charged", refusals)


def _charges(ledger: Ledger, query: QueryRecord) -> bytes:
    """What the ledger charged to the query's budget, each record behind its length as u32."""
    known = charges(
        ledger, site=query.site, epoch=query.epoch, report_collector=query.report_collector
    )
    records = [record.to_bytes() for record in known]
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)


def _view(query: QueryRecord, known: bytes) -> _View:
    return _View(
        query.question_digest(), query.charged_at, hashlib.sha256(known).digest(), len(known)
    )


def _settle(
    network: HelperPartyNetwork,
    ledgers: Mapping[int, Ledger],
    asked: Mapping[int, QueryRecord],
    lists: Mapping[int, bytes],
    views: Mapping[int, _View],
) -> None:
    """Take over what only some helpers have charged to the budget.

    What two helpers have, one honest one has. What only one has must be a query that this helper
    said it would pay for: no helper can make up a charge.
    """
    size = max(view.list_bytes for view in views.values())
    if size > MAX_LIST_BYTES:
        problem = "a helper claims more charges than there can be"
        raise VerificationError(network.path, problem, network.helpers)
    with network.step("settle") as step:
        padded = {helper: known.ljust(size, b"\0") for helper, known in lists.items()}
        told = broadcast(network, padded, size)
        claims = [_claims(network, told[h], view) for h, view in views.items()]
        failures = []
        for helper in network.helpers:
            ledger, own = ledgers[helper], set(_claims(network, padded[helper], views[helper]))
            missing = sorted({q for claim in claims for q in claim} - own, key=lambda q: q.query_id)
            if not all(
                _same_budget(query, asked[helper])
                and (sum(query in claim for claim in claims) > 1 or was_asked(ledger, query))
                for query in missing
            ):
                problem = "a helper claims a charge that nobody agreed to"
                failures.append(VerificationError(step, problem, [helper]))
                continue
            settle(ledger, missing)
        raise_together(failures)


def _claims(network: HelperPartyNetwork, told: bytes, view: _View) -> tuple[QueryRecord, ...]:
    """The charges in what a helper told; VerificationError if it is not what it said before."""
    known, claims, at = told[: view.list_bytes], [], 0
    try:
        if hashlib.sha256(known).digest() != view.list_digest:
            raise InputError("this is not the list that was announced")
        while at < len(known):
            end = at + 4 + int.from_bytes(known[at : at + 4], "big")
            claims.append(QueryRecord.from_bytes(known[at + 4 : end]))
            at = end
    except InputError as error:
        problem = "a helper sent no list of charges"
        raise VerificationError(network.path, problem, network.helpers) from error
    return tuple(claims)


def _same_budget(one: QueryRecord, other: QueryRecord) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("network_name", "site", "epoch", "report_collector")
    )


def _first_refusal(
    network: HelperPartyNetwork, name: str, refusals: Mapping[int, BudgetError]
) -> BudgetError | None:
    """Tell each other, in step `name`, whether all go on; the same answer at all helpers."""
    with network.step(name):
        words = {h: _NO if h in refusals else _YES for h in network.helpers}
        told = broadcast(network, words, len(_YES))
    for helper in HELPERS:
        if helper in refusals:
            return refusals[helper]
        if told[helper] != _YES:
            return BudgetError(f"helper {helper} refuses to charge the query").heard()
    return None

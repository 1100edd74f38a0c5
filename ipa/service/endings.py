"""Why a query has no answer: what each helper party says of it, whoever knows best first.

The helper party at which something went wrong knows why. Its neighbours only miss its messages, or
are told that it aborts; and of one that cannot be reached nothing is known.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ipa.errors import ServiceError
from ipa.parties import HELPERS


class Knowledge(IntEnum):
    """How near to the cause it is what a helper says, or what is said of it: the lowest knows best."""

    ITS_OWN_REASON = 0
    LOST_THE_QUERY = 1
    MISSED_A_MESSAGE = 2
    OUT_OF_REACH = 3
    WAS_TOLD = 4


# What errors say of another helper (ipa.network, ipa.protocols.primitives.abort, ipa.budget.charging,
# ipa.intake.query_comparison).
_MISSED = re.compile(
    r"no message from H[123]|H[123] (closed its connection|went silent|does not read|"
    r"cannot be sent anything more)"
)
_TOLD = re.compile(
    r"H[123] aborted|a helper does not go on|"
    r"helper [123] (refuses to charge the query|cannot read the query stream it was sent)"
)
_NOTICED_BY = re.compile(r" \(noticed by H[123]( and H[123])*\)$")


@dataclass(frozen=True)
class Statement:
    """What is known of the end of a query from one helper party, or about it."""

    helper: int
    knowledge: Knowledge
    text: str

    @property
    def is_its_own(self) -> bool:
        """Whether the helper said it itself, and not the report collector of it."""
        return self.knowledge not in (Knowledge.LOST_THE_QUERY, Knowledge.OUT_OF_REACH)


def abort_statement(helper: int, reason: str) -> Statement:
    """What helper party `helper` gave as the reason why it aborted a query."""
    reason = _NOTICED_BY.sub("", reason) or "it aborted the query, and does not say why"
    if _TOLD.search(reason):
        return Statement(helper, Knowledge.WAS_TOLD, reason)
    if _MISSED.search(reason):
        return Statement(helper, Knowledge.MISSED_A_MESSAGE, reason)
    return Statement(helper, Knowledge.ITS_OWN_REASON, reason)


def in_one_sentence(statements: Iterable[Statement]) -> str:
    """All that is known, the best first; helpers that say the same say it together."""
    ranked = sorted(statements, key=lambda each: (each.knowledge, each.helper))
    said: dict[tuple[bool, str], list[int]] = {}
    for each in ranked:
        said.setdefault((each.is_its_own, each.text), []).append(each.helper)
    return "; ".join(_part(is_own, text, helpers) for (is_own, text), helpers in said.items())


def _part(is_own: bool, text: str, helpers: Sequence[int]) -> str:
    if is_own:
        return f"{helpers_named(helpers)}: {text}"
    each = ": each" if len(helpers) > 1 else ""
    return f"{helpers_named(helpers)}{each} {text}"


def helpers_named(helpers: Sequence[int]) -> str:
    """The helper parties in words: H1; H1 and H3; H1, H2 and H3."""
    *first, last = (f"H{helper}" for helper in HELPERS if helper in helpers)
    return f"{', '.join(first)} and {last}" if first else last


def no_answer(
    query_id: str, statements: Iterable[Statement], *, may_be_charged: bool
) -> ServiceError:
    """The error for a query that ended without an answer."""
    charged = "; if it was charged, it stays charged" if may_be_charged else ""
    return ServiceError(f"query {query_id} has no answer: {in_one_sentence(statements)}{charged}")

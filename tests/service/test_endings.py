"""Which helper party knows best why a query has no answer."""

import pytest

from ipa.errors import ServiceError
from ipa.service.endings import (
    Knowledge,
    Statement,
    abort_statement,
    helpers_named,
    in_one_sentence,
    no_answer,
)


@pytest.mark.parametrize(
    ("reason", "knowledge"),
    [
        ("query q requests epsilon 1, but 0.5 remains", Knowledge.ITS_OWN_REASON),
        ("products: the check failed (noticed by H1 and H2)", Knowledge.ITS_OWN_REASON),
        ("", Knowledge.ITS_OWN_REASON),
        ("query/sort: no message from H2 (noticed by H1)", Knowledge.MISSED_A_MESSAGE),
        ("query/sort: H3 closed its connection", Knowledge.MISSED_A_MESSAGE),
        ("query/sort: H3 does not read what it is sent", Knowledge.MISSED_A_MESSAGE),
        ("query/sort: H3 cannot be sent anything more", Knowledge.MISSED_A_MESSAGE),
        ("apart: H1 went silent: killed", Knowledge.MISSED_A_MESSAGE),
        ("query/sort: H3 aborted", Knowledge.WAS_TOLD),
        ("agreement: a helper does not go on", Knowledge.WAS_TOLD),
        ("helper 1 refuses to charge the query", Knowledge.WAS_TOLD),
        ("helper 2 cannot read the query stream it was sent", Knowledge.WAS_TOLD),
    ],
)
def test_what_a_reason_tells(reason: str, knowledge: Knowledge) -> None:
    statement = abort_statement(2, reason)
    assert (statement.helper, statement.knowledge) == (2, knowledge)
    assert statement.text and "(noticed by" not in statement.text


def test_all_are_heard_the_best_first_and_the_same_together() -> None:
    said = in_one_sentence(
        [
            abort_statement(1, "s: H2 aborted (noticed by H1)"),
            Statement(2, Knowledge.OUT_OF_REACH, "cannot be reached: gone"),
            abort_statement(3, "s: no message from H2 (noticed by H3)"),
        ]
    )
    assert said == "H3: s: no message from H2; H2 cannot be reached: gone; H1: s: H2 aborted"
    both = [Statement(helper, Knowledge.LOST_THE_QUERY, "refuses: no") for helper in (1, 3)]
    assert in_one_sentence(both) == "H1 and H3: each refuses: no"
    assert in_one_sentence([abort_statement(2, "refuses: no"), both[0]]) == (
        "H2: refuses: no; H1 refuses: no"
    )


def test_a_query_that_may_be_charged_says_so() -> None:
    statements = [abort_statement(1, "why")]
    for charged, end in ((True, "H1: why; if it was charged, it stays charged"), (False, ": why")):
        error = no_answer("q", statements, may_be_charged=charged)
        assert type(error) is ServiceError
        assert str(error).startswith("query q has no answer: H1: why")
        assert str(error).endswith(end)


def test_helpers_in_words() -> None:
    named = [helpers_named(helpers) for helpers in ([2], [1, 3], [3, 1, 2])]
    assert named == ["H2", "H1 and H3", "H1, H2 and H3"]

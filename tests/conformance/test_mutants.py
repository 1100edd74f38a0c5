"""The planted mutants: each is caught by the vectors and by cases that are drawn."""

import os
from pathlib import Path

import mutant_cases
import pytest
from mutant_cases import Mutant
from mutants import MUTANTS, mutant_table
from write_protocol_vectors import FOLDER

from ipa.conformance.checking import check_drawn
from ipa.conformance.reference import STEPS, right_answer
from ipa.conformance.vectors import read_vectors, vector_files

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"

PATCHED = {
    "what a split leaves over is lost",
    "padding counts as reports of match key 0",
}
"""Mutants of the protocols behind `clear/`, which the oracle does not have."""

RARE = {"points off the line are taken"}
"""One message of some hundred tells these: too many cases for every run."""


def test_there_are_many_and_none_twice() -> None:
    assert len(MUTANTS) >= 90
    assert len({str(mutant) for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.step for mutant in MUTANTS} == set(STEPS)


def test_the_vectors_catch_every_mutant_and_the_document_says_by_which_case() -> None:
    files = {file.step: file for file in map(read_vectors, vector_files(FOLDER))}
    assert mutant_table(files) in DOCUMENT.read_text(encoding="utf-8")


def some_of_each_step() -> list[Mutant]:
    """One mutant of each step; all of them in the thorough profile."""
    if os.environ.get("HYPOTHESIS_PROFILE") == "thorough":
        return MUTANTS
    usual = [mutant for mutant in MUTANTS if mutant.what not in PATCHED | RARE]
    return list({mutant.step: mutant for mutant in usual}.values())


@pytest.mark.parametrize("mutant", some_of_each_step(), ids=str)
def test_drawn_cases_catch_a_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    if mutant.what not in PATCHED:
        # The same answers, sooner: that they are the same is what the honest adapter's test says.
        monkeypatch.setattr(mutant_cases, "honest_answer", right_answer)
    assert not check_drawn(mutant.answer, mutant.step, 1000, seed=0, shrink=False).passed

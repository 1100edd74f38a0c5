"""Strategies for what a corrupted helper party does to its messages."""

from typing import get_args

from hypothesis import strategies as st

from ipa.attacks import Tampering
from ipa.attacks.corruption import Change
from ipa.parties import HELPERS


@st.composite
def tamperings(draw: st.DrawFn, patterns: st.SearchStrategy[str] | None = None) -> Tampering:
    """One helper that changes its messages in steps whose path matches a pattern; by default in all."""
    helper = draw(st.sampled_from(HELPERS))
    others = [other for other in HELPERS if other != helper]
    return Tampering(
        helper,
        "*" if patterns is None else draw(patterns),
        draw(st.sampled_from(get_args(Change))),
        receiver=draw(st.none() | st.sampled_from(others)),
        bit=draw(st.integers(0, 255)),
    )

"""Every step's inputs as a Hypothesis strategy."""

from collections.abc import Mapping

from hypothesis import strategies as st

from ipa.conformance.drawn_clear import DRAWN_CLEAR
from ipa.conformance.drawn_client import DRAWN_CLIENT
from ipa.conformance.drawn_messages import DRAWN_MESSAGES
from ipa.conformance.drawn_sharing import DRAWN_SHARING
from ipa.conformance.json_values import Json

DRAWN_INPUTS: Mapping[str, st.SearchStrategy[Json]] = {
    **DRAWN_SHARING,
    **DRAWN_MESSAGES,
    **DRAWN_CLEAR,
    **DRAWN_CLIENT,
}
"""By name, the inputs of a step."""

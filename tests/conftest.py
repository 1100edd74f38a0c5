"""Hypothesis profiles: `quick` for every run, `thorough` for a long one by hand.

`HYPOTHESIS_PROFILE=thorough python -m pytest` draws ten times as many examples, also where a test
sets its own number with `strategies.examples`. Deadlines are off: a shared machine would make them
fail at random.
"""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=500, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

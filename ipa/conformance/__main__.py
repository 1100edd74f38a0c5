"""`python -m ipa.conformance`: the honest adapter, which answers every step with this library."""

import sys

from ipa.conformance.adapter import serve
from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.reference import STEPS

if __name__ == "__main__":
    serve(honest_answer, STEPS, sys.stdin, sys.stdout)

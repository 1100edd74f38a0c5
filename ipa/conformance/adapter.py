"""The adapter's protocol, from the side of who answers: JSON lines on standard input and output."""

import json
from collections.abc import Iterable
from typing import TextIO

from ipa.conformance.reference import Implementation

CAPABILITIES = "capabilities"
"""What is asked first: which steps there are."""


def serve(
    implementation: Implementation, steps: Iterable[str], requests: TextIO, answers: TextIO
) -> None:
    """Answer one request a line until there are no more.

    Each request is {"id", "step", "input"} and each answer has its `id`.
    """
    offered = sorted(steps)
    for line in requests:
        request = json.loads(line)
        step = request["step"]
        if step == CAPABILITIES:
            answer = {"output": {"steps": offered}}
        else:
            answer = implementation(step, request["input"])
        answers.write(json.dumps({"id": request["id"], **answer}) + "\n")
        answers.flush()

"""Writes tests/vectors/protocol/*/*.json anew, but for the schema.

    PYTHONPATH=tests/cases python tests/conformance/write_protocol_vectors.py

Everything random is in the files, so they come out the same as long as the protocol does.
"""

from collections.abc import Iterator
from pathlib import Path

from vector_clear_inputs import CLEAR_INPUTS
from vector_client_inputs import CLIENT_INPUTS
from vector_message_inputs import MESSAGE_INPUTS
from vector_sharing_inputs import SHARING_INPUTS

from ipa.conformance.reference import right_answer
from ipa.conformance.vectors import Case, VectorFile

FOLDER = Path(__file__).parents[1] / "vectors" / "protocol"

GROUPS = {
    "sharing": SHARING_INPUTS,
    "messages": MESSAGE_INPUTS,
    "clear": CLEAR_INPUTS,
    "client": CLIENT_INPUTS,
}


def vector_files() -> Iterator[tuple[Path, VectorFile]]:
    """Every file and where it is."""
    for group, steps in GROUPS.items():
        for name, (description, inputs) in steps.items():
            step = f"{group}/{name}"
            cases = [Case(title, given, right_answer(step, given)) for title, given in inputs()]
            yield FOLDER / group / f"{name}.json", VectorFile(step, description, cases)


def main() -> None:
    """Write all files."""
    for path, file in vector_files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text(), encoding="utf-8")


if __name__ == "__main__":
    main()

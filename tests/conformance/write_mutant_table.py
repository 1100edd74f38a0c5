"""Writes the table of planted mutants in docs/conformance.md anew.

PYTHONPATH=tests/cases python tests/conformance/write_mutant_table.py
"""

from pathlib import Path

from mutants import mutant_table

from ipa.conformance.vectors import read_vectors, vector_files

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
HEADING = "## Planted mutants\n"


def main() -> None:
    """The table is what stands behind its heading and one paragraph, to the end of the document."""
    folder = ROOT / "tests" / "vectors" / "protocol"
    table = mutant_table({file.step: file for file in map(read_vectors, vector_files(folder))})
    before, heading, section = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    paragraph = section.strip().partition("\n\n")[0]
    DOCUMENT.write_text(f"{before}{heading}\n{paragraph}\n\n{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

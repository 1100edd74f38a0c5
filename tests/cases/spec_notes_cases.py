"""SPEC_NOTES.md in its parts, and the rows of its tables, for the tests that read it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SPEC_NOTES.md").read_text(encoding="utf-8")
MAP, _REST = TEXT.split("\n## Byte formats\n")
FORMATS, _REST = _REST.split("\n## What helper parties send each other\n")
MESSAGES, _REST = _REST.split("\n## Index of the notes\n")
INDEX, NOTES = _REST.split("\n## Notes\n")


def rows_under(text: str, header: str) -> list[tuple[str, ...]]:
    """The rows of the table that begins with `header`, without the header."""
    lines = text[text.index(header) :].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]

"""Docstrings as the site shows them: labelled paragraphs set apart, citations of notes as links."""

import sys
from pathlib import Path

import griffe

sys.path.insert(0, str(Path(__file__).parent))

import pages

ANCHORS = pages.note_anchors(pages.read("SPEC_NOTES.md"))


class LabelledParagraphs(griffe.Extension):
    """Rewrites each docstring as it is read."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Make Markdown of the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = pages.docstring_page(obj.docstring.value, ANCHORS)

"""The documentation site is made of what the repository has, and what it adds is right."""

import re
from pathlib import Path

import pages
import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", GLOSSARY, re.MULTILINE)
WHERE = [(term, where) for term, where in ROWS if where != "Where"]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages.generated_pages()


def test_every_term_of_the_glossary_is_where_it_says() -> None:
    assert len(WHERE) > 50
    for term, where in WHERE:
        named = re.fullmatch(r"(?:`(\w+)` in )?`(ipa/[a-z_/]+(?:\.py)?)`", where)
        assert named, term
        path = ROOT / named[2]
        assert path.exists(), term
        if named[1]:
            defined = rf"^\s*(?:def |class )?{named[1]}(?:\(|:| = )"
            assert re.search(defined, path.read_text(encoding="utf-8"), re.MULTILINE), term


def test_the_terms_of_the_readme_are_in_the_glossary() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("| Term | What it is |")[1]
    terms = re.findall(r"^\| ([A-Z][^|]+) \|", readme.partition("\n\n")[0], re.MULTILINE)
    assert len(terms) > 8
    known = GLOSSARY.lower()
    for term in terms:
        for part in term.lower().split(" and "):
            assert f"| {part}" in known or f", {part}" in known, term


def test_every_module_and_every_notebook_has_a_page(made: dict[str, str]) -> None:
    files = {path for path in (ROOT / "ipa").rglob("*.py") if path.name != "__main__.py"}
    reference = [text for uri, text in made.items() if uri.startswith("reference/")]
    assert len(reference) == len(files) > 150
    assert made["reference/ipa/query.md"] == "# `ipa.query`\n\n::: ipa.query\n"
    assert "::: ipa.protocols\n" in made["reference/ipa/protocols/index.md"]
    lessons = {path.stem for path in (ROOT / "examples/notebooks").glob("*.ipynb")}
    assert {f"notebooks/{stem}.md" for stem in lessons} <= set(made)
    assert ".ipynb" not in re.sub(r"`[^`]*`", "", made["notebooks/index.md"])


def test_a_notebook_s_page_has_its_text_code_and_outputs() -> None:
    svg = ["<svg>\n", "\n", "</svg>"]
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {
            "cell_type": "code",
            "source": ["print(1)\n", "x"],
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "execute_result", "data": {"text/plain": ["x"]}},
                {"output_type": "display_data", "data": {"text/plain": [""], "image/svg+xml": svg}},
                {"output_type": "display_data", "data": {"text/html": "<p>", "text/plain": "p"}},
            ],
        },
    ]
    assert pages.notebook_page({"cells": cells}) == (
        "# Title\ntext\n\n```python\nprint(1)\nx\n```\n\n```text\n1\n```\n\n```text\nx\n```\n\n"
        '<div class="output">\n<svg>\n</svg>\n</div>\n\n<div class="output">\n<p>\n</div>\n'
    )


def test_guarantees_are_those_of_the_readme_with_their_reasons(made: dict[str, str]) -> None:
    page = made["guarantees.md"]
    assert "At most one of the three helper parties is corrupted." in page
    assert "Reach and frequency" not in page
    links = re.findall(r"^- \[([a-z-]+)\]\(spec-notes\.md#(\d+)-([a-z-]+)\)$", page, re.MULTILINE)
    assert ("security-model", "16", "security-model") in links
    assert len(links) >= 11
    assert all(name == slug for name, _, slug in links)
    with pytest.raises(ValueError, match="no section 'Nothing'"):
        pages.section_of(page, "Nothing")


def test_every_file_of_vectors_is_listed_and_says_what_it_is(made: dict[str, str]) -> None:
    rows = re.findall(r"^\| `([\w/.-]+)` \| ([\d,]+) \| (.*) \|$", made["vectors.md"], re.MULTILINE)
    files = {p.relative_to(ROOT / "tests/vectors") for p in (ROOT / "tests").rglob("*.json")}
    assert {name for name, *_ in rows} == {path.as_posix() for path in files}
    assert all(len(said) > 10 for *_, said in rows)
    assert not [said for *_, said in rows if re.search(r"(?<!\\)\|", said)]


def test_labelled_paragraphs_become_definitions_and_notes_links() -> None:
    docstring = (
        "First.\n\nBody (SPEC_NOTES: noise), Cost: not a label.\n\n"
        "Cost: one round,\n    and more.\nReveals: nothing.\nRaises: an error that\nis long.\n\nLast.\n"
        "\n    code\n"
    )
    assert pages.docstring_page(docstring, {"noise": "59-noise"}) == (
        "First.\n\nBody ([SPEC_NOTES: noise][59-noise]), Cost: not a label.\n\n"
        "\nCost\n:   one round,\n    and more.\n\nReveals\n:   nothing.\n\nRaises\n:   an error that\n"
        "    is long.\n\nLast.\n\n    code"
    )
    assert pages.linked_notes("SPEC_NOTES: noise", {}) == "SPEC_NOTES: noise"


def test_names_of_files_become_links_to_their_pages() -> None:
    targets = pages.link_targets()
    text = "`ipa/query.py`, `ipa/noise/`, `SPEC_NOTES.md`, `docs/halo.md`, `tests/`, `x.py`"
    assert pages.with_links(text, "notebooks/index.md", targets) == (
        "[`ipa/query.py`](../reference/ipa/query.md), [`ipa/noise/`](../reference/ipa/noise/index.md), "
        "[`SPEC_NOTES.md`](../spec-notes.md), [`docs/halo.md`](../halo.md), `tests/`, `x.py`"
    )
    assert pages.with_links("`SPEC_NOTES.md`", "spec-notes.md", targets) == "`SPEC_NOTES.md`"
    assert pages.with_links("[`SPEC_NOTES.md`](x)", "index.md", targets) == "[`SPEC_NOTES.md`](x)"


def test_ci_builds_the_site_with_warnings_as_errors() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert any("mkdocs build --strict" in line for line in lines)
    assert "site/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_site_s_style_is_of_classes_that_outputs_have(made: dict[str, str]) -> None:
    lines = (ROOT / "docs/site.css").read_text(encoding="utf-8").splitlines()
    shown = {name for line in lines for name in re.findall(r"\.ipa-shown.*?\.([a-z]+) \{", line)}
    assert shown
    outputs = "\n".join(text for uri, text in made.items() if uri.startswith("notebooks/"))
    for name in {"output", "ipa-shown", *shown}:
        assert f'class="{name}"' in outputs, name

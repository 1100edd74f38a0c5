"""The pages of the documentation site, as Markdown: made from the repository's own files.

Nothing is written twice: the guide is README, the lessons are the notebooks, the reference is the
docstrings. This module knows nothing of the tool that makes HTML of the pages; `hooks.py` does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from posixpath import relpath
from typing import Any

ROOT = Path(__file__).parents[2]

COPIES = {
    "README.md": "index.md",
    "examples/notebooks/README.md": "notebooks/index.md",
    "SPEC_NOTES.md": "spec-notes.md",
    "COSTS.md": "costs.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Files outside of `docs/` that are pages as they are, and the pages that they become."""


def generated_pages() -> dict[str, str]:
    """Every page that is not a file in `docs/`, by its place in the site."""
    pages = {page: read(file) for file, page in COPIES.items()}
    pages["notebooks/index.md"] = pages["notebooks/index.md"].replace(".ipynb)", ".md)")
    for path in notebooks():
        page = notebook_page(json.loads(path.read_text(encoding="utf-8")))
        pages[f"notebooks/{path.stem}.md"] = page
    pages["guarantees.md"] = guarantees_page(pages["index.md"], pages["spec-notes.md"])
    pages["vectors.md"] = vectors_page(sorted((ROOT / "tests/vectors").rglob("*.json")))
    for module in modules():
        pages[reference_uri(module)] = f"# `{module}`\n\n::: {module}\n"
    return pages


def read(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def notebooks() -> list[Path]:
    """All notebooks, in the order of their names."""
    return sorted((ROOT / "examples/notebooks").glob("*.ipynb"))


def modules() -> list[str]:
    """The dotted names of all modules and packages of the library, but for the one that runs it."""
    paths = sorted((ROOT / "ipa").rglob("*.py"))
    return [dotted_name(path) for path in paths if path.name != "__main__.py"]


def dotted_name(path: Path) -> str:
    """The module that a file is."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def reference_uri(module: str) -> str:
    """The page of a module: a package's is the index of its folder."""
    path = module.replace(".", "/")
    return f"reference/{path}/index.md" if (ROOT / path).is_dir() else f"reference/{path}.md"


def notebook_page(notebook: Mapping[str, Any]) -> str:
    """A notebook as Markdown: its text, its code, and what the code shows."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(fenced("python", source))
        parts += [shown(output) for output in cell["outputs"]]
    return "\n\n".join(parts) + "\n"


def shown(output: Mapping[str, Any]) -> str:
    """What an output shows: HTML or a picture where there is one, else its text."""
    if output["output_type"] == "stream":
        return fenced("text", "".join(output["text"]).rstrip("\n"))
    data = output["data"]
    for kind in ("text/html", "image/svg+xml"):
        if kind in data:
            # A line without text would end the block of HTML.
            lines = [line for line in "".join(data[kind]).splitlines() if line.strip()]
            return "\n".join(['<div class="output">', *lines, "</div>"])
    if "image/png" in data:
        return f"![a plot](data:image/png;base64,{''.join(data['image/png']).strip()})"
    return fenced("text", "".join(data["text/plain"]))


def fenced(language: str, text: str) -> str:
    """A block of code or output."""
    return f"```{language}\n{text}\n```"


def guarantees_page(readme: str, notes: str) -> str:
    """What README promises, and each note that it names as a reason, with a link."""
    section = section_of(readme, "What is guaranteed, and what not")
    named = re.search(r"The reasons are in the notes (.*?) of `SPEC_NOTES.md`", section, re.DOTALL)
    names = re.findall(r"[a-z][a-z-]+", named[1].replace(" and ", " ")) if named else []
    anchors = note_anchors(notes)
    reasons = [f"- [{name}](spec-notes.md#{anchors[name]})" for name in names]
    head = "# Guarantees\n\nThis is what README promises. Each note below says why it holds.\n"
    return "\n".join([head, section, "## The reasons", "", *reasons, ""])


def section_of(text: str, title: str) -> str:
    """The text below a heading of the second level, up to the next one.

    Raises: ValueError when there is no such heading.
    """
    _, found, rest = text.partition(f"\n## {title}\n")
    if not found:
        raise ValueError(f"there is no section {title!r}")
    return rest.partition("\n## ")[0]


def note_anchors(notes: str) -> dict[str, str]:
    """For each note of SPEC_NOTES its anchor in the page, by its short name."""
    found = re.findall(r"^### (\d+)\. ([a-z0-9-]+)$", notes, re.MULTILINE)
    return {name: f"{number}-{name}" for number, name in found}


BAR = r"\|"
"""A vertical bar in a cell of a table."""


def vectors_page(paths: Iterable[Path]) -> str:
    """A table of the files of test vectors: how much is in them, and what they say they are."""
    rows = []
    for path in paths:
        content = json.loads(path.read_text(encoding="utf-8"))
        said = content.get("description") or content.get("$comment") or content.get("title", "")
        name = path.relative_to(ROOT / "tests/vectors").as_posix()
        rows.append(f"| `{name}` | {path.stat().st_size:,} | {said.replace('|', BAR)} |")
    return "\n".join(
        [
            "# Vectors",
            "",
            "Test vectors are JSON files in `tests/vectors/`: inputs, all randomness, and what must "
            "come out. Another implementation reads them and compares. `SPEC_NOTES.md` specifies the "
            "byte formats and the messages.",
            "",
            "| File | Bytes | What it holds |",
            "|:--|--:|:--|",
            *rows,
            "",
        ]
    )


def link_targets() -> dict[str, str]:
    """The pages of the files and folders that a text may name in backticks."""
    targets = {name: page for name, page in COPIES.items() if name != "README.md"}
    targets |= {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    for module in modules():
        path = module.replace(".", "/")
        targets[f"{path}/" if (ROOT / path).is_dir() else f"{path}.py"] = reference_uri(module)
    return targets


def with_links(markdown: str, page: str, targets: Mapping[str, str]) -> str:
    """The text, in which names of files in backticks are links to their pages."""
    folder = page.rpartition("/")[0] or "."

    def linked(match: re.Match[str]) -> str:
        """The name itself, or a link where there is a page of it."""
        target = targets.get(match[1])
        if target is None or target == page:
            return match[0]
        return f"[{match[0]}]({relpath(target, folder)})"

    return re.sub(r"(?<!\[)`([A-Za-z_./-]+(?:\.md|\.py|/))`(?!\])", linked, markdown)


LABELS = ("Cost", "Reveals", "Raises", "Security", "Returns")
"""What a labelled paragraph at the end of a docstring begins with."""


def docstring_page(docstring: str, anchors: Mapping[str, str]) -> str:
    """A docstring as Markdown: labelled paragraphs as definitions, notes as links."""
    lines: list[str] = []
    in_label = False
    for line in docstring.splitlines():
        label, colon, rest = line.partition(": ")
        if colon and label in LABELS:
            lines += ["", label, f":   {rest}"]
            in_label = True
        elif not line.strip():
            lines.append("")
            in_label = False
        else:
            # A long labelled paragraph goes on below, indented or not.
            lines.append(f"    {line.strip()}" if in_label else line)
    return linked_notes("\n".join(lines), anchors)


def linked_notes(text: str, anchors: Mapping[str, str]) -> str:
    """The text, in which each citation of a note is a link to it."""

    def linked(match: re.Match[str]) -> str:
        """The citation; the site finds the page by the anchor."""
        anchor = anchors.get(match[1])
        return match[0] if anchor is None else f"[SPEC_NOTES: {match[1]}][{anchor}]"

    return re.sub(r"SPEC_NOTES: ([a-z0-9-]+)", linked, text)

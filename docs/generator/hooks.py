"""What the tool that makes the site calls: it is given the pages that `pages.py` makes."""

import pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

TITLES = {
    "Guide": "index.md",
    "Guarantees": "guarantees.md",
    "Glossary": "glossary.md",
    "Vectors": "vectors.md",
}
"""The first pages of the navigation."""

MORE = {
    "Notes on the specification": "spec-notes.md",
    "Statements of the specification": "statements.md",
    "Costs": "costs.md",
    "Reach and frequency": "halo.md",
    "Working on ipa": "contributing.md",
}
"""Pages that the navigation has under `More`, before any other file in `docs/`."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation: guide, lessons, reference, and the other documents."""
    known = {*TITLES.values(), *MORE.values()}
    documents = sorted(path.name for path in (pages.ROOT / "docs").glob("*.md"))
    lessons = ["notebooks/index.md", *(f"notebooks/{path.stem}.md" for path in pages.notebooks())]
    config.nav = [
        *({title: page} for title, page in TITLES.items()),
        {"Lessons": lessons},
        {"Reference": reference_nav("ipa", pages.modules())},
        {"More": [*({t: p} for t, p in MORE.items()), *(d for d in documents if d not in known)]},
    ]
    return config


def reference_nav(package: str, modules: list[str]) -> list[object]:
    """A package's own page, then its modules and packages."""
    entries: list[object] = [pages.reference_uri(package)]
    for module in modules:
        parent, _, name = module.rpartition(".")
        if parent == package:
            uri = pages.reference_uri(module)
            inner = reference_nav(module, modules) if uri.endswith("/index.md") else uri
            entries.append({name: inner})
    return entries


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for uri, content in pages.generated_pages().items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Make links of the names of files that have a page."""
    return pages.with_links(markdown, page.file.src_uri, TARGETS)


TARGETS = pages.link_targets()

"""Something made to be looked at: it shows itself in a notebook and can be saved as a page."""

from pathlib import Path

from ipa.display.markup import Markup, element, joined
from ipa.errors import ParameterError


class Shown:
    """A table or picture: `_repr_html_` for notebooks, `save` for a file, `repr` a line of text."""

    def __init__(self, title: str, markup: Markup) -> None:
        self.title = title
        self._markup = markup

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}>"

    def _repr_html_(self) -> str:
        return self._markup

    def save(self, path: Path | str) -> None:
        """Write it as a page of its own, to a file whose name ends in .html.

        Raises: ParameterError for another ending.
        """
        path = Path(path)
        if path.suffix != ".html":
            raise ParameterError(f"{path}: the name of a page must end in .html")
        path.write_text(page(self.title, self._markup), encoding="utf-8")


_PAGE_STYLE = "body{margin:1.5em;color-scheme:light dark;background:Canvas;color:CanvasText}"


def page(title: str, *parts: object) -> str:
    """A page that follows the reader's light or dark theme."""
    head = element(
        "head",
        Markup('<meta charset="utf-8"/>'),
        Markup('<meta name="viewport" content="width=device-width"/>'),
        Markup('<meta name="color-scheme" content="light dark"/>'),
        element("title", title),
        element("style", Markup(_PAGE_STYLE)),
    )
    return joined(Markup("<!DOCTYPE html>\n"), element("html", head, element("body", *parts)))

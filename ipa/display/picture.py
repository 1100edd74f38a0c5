"""A picture: SVG that a notebook shows in its own colours, and that a file keeps in black on white."""

from pathlib import Path

from ipa.display.drawing import box
from ipa.display.markup import Markup, element
from ipa.display.shown import Shown, page
from ipa.display.style import framed, note
from ipa.errors import ParameterError

_FONT = "system-ui,sans-serif"


class Picture(Shown):
    """A drawing of `width` by `height` pixels, with a title above it and words below it.

    In a notebook it has the colours of the notebook's theme. As a file it has a background of its own.
    """

    def __init__(
        self, title: str, size: tuple[float, float], *parts: object, says: str = ""
    ) -> None:
        self._size = tuple(map(round, size))
        self._parts = parts
        self.title = title
        # Narrow pages shrink it a little, and scroll beyond that, so that its words stay readable.
        fits = f"max-width:100%;min-width:{0.65 * size[0]:.0f}px;height:auto"
        drawn = self._svg(style=fits)
        super().__init__(title, framed(title, drawn, note(says) if says else ""))

    def _svg(self, *before: object, **attributes: object) -> Markup:
        width, height = self._size
        return element(
            "svg",
            element("title", self.title),
            *before,
            *self._parts,
            width=width,
            height=height,
            viewBox=f"0 0 {width} {height}",
            font_family=_FONT,
            role="img",
            **attributes,
        )

    def _repr_svg_(self) -> str:
        paper = box(0, 0, *self._size, fill="white", border=None)
        return self._svg(paper, xmlns="http://www.w3.org/2000/svg", color="#1b1b1b")

    def save(self, path: Path | str) -> None:
        """Write it to a file: an SVG picture (.svg), or a page with its title and words (.html).

        Raises: ParameterError for another ending.
        """
        path = Path(path)
        contents = {".svg": self._repr_svg_, ".html": self._page}
        if path.suffix not in contents:
            raise ParameterError(f"{path}: the name of a picture must end in .svg or .html")
        path.write_text(contents[path.suffix](), encoding="utf-8")

    def _page(self) -> str:
        return page(self.title, Markup(self._repr_html_()))

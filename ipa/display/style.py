"""The one style sheet, and the colours.

Text and lines take the colour of the notebook's text, and backgrounds are left as they are, so that
light and dark themes both work. The colours of marks are of middling lightness, at least 3 to 1 in
contrast with black and with white, and differ for colour-blind readers too (after Okabe and Ito 2008);
nothing is told by colour alone.
"""

from ipa.display.markup import Markup, element, joined

BLUE = "#2f86d0"
ORANGE = "#d2691e"
GREEN = "#1a9a74"
PURPLE = "#a86bc4"
GREY = "#8a8a8a"

SHARE_COLOURS = {1: BLUE, 2: ORANGE, 3: GREEN}
"""The colour of share x1, x2 and x3, whoever holds it."""

_SHEET = """
.ipa-shown{font:13px/1.45 system-ui,sans-serif;color:inherit;max-width:100%;overflow-x:auto}
.ipa-shown .title{font-weight:600;margin:.2em 0}
.ipa-shown .note{opacity:.75;margin:.2em 0}
.ipa-shown table{border-collapse:collapse;margin:.3em 0;width:auto;font:inherit;color:inherit}
.ipa-shown th,.ipa-shown td{padding:1px 9px;text-align:left;vertical-align:top;border:0;
white-space:nowrap;border-bottom:1px solid rgba(128,128,128,.3);background:none}
.ipa-shown th{font-weight:600;vertical-align:bottom}
.ipa-shown tbody th{vertical-align:top}
.ipa-shown .number{text-align:right;font-variant-numeric:tabular-nums}
.ipa-shown .wrap{white-space:normal;min-width:12em;max-width:44em}
.ipa-shown .code{font-family:ui-monospace,monospace;font-size:12px;background:none;color:inherit}
.ipa-shown .wrap.code{overflow-wrap:anywhere}
.ipa-shown summary{cursor:pointer}
.ipa-shown details{margin:.1em 0}
.ipa-shown .left{border-left:1px solid rgba(128,128,128,.5)}
.ipa-shown svg{vertical-align:middle;max-width:none;color:inherit}
.ipa-shown .tree{min-width:52em}
.ipa-shown .tree summary,.ipa-shown .tree .leaf{white-space:nowrap}
.ipa-shown .tree details details{margin:0}
.ipa-shown .step{display:inline-grid;grid-template-columns:minmax(14em,22em) 5em 7em 8em 6em;
column-gap:8px;border-bottom:1px solid rgba(128,128,128,.2);vertical-align:top}
.ipa-shown .leaf{padding-left:13px}
""".replace("\n", "")


def framed(title: object, *parts: object) -> Markup:
    """A block of a notebook: a title, and what is under it."""
    head = [element("div", title, class_="title")] if title else []
    sheet = element("style", Markup(_SHEET))
    return element("div", sheet, joined(*head, *parts), class_="ipa-shown")


def note(*parts: object) -> Markup:
    """A line that explains, less prominent than what it explains."""
    return element("div", *parts, class_="note")


def chip(colour: str) -> Markup:
    """A small square of the colour, before the words that say the same."""
    box = element("rect", width=9, height=9, rx=2, fill=colour)
    return element(
        "svg", box, width=13, height=9, style="width:13px;height:9px", aria_hidden="true"
    )

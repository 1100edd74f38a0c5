"""How objects look in a notebook: HTML and SVG made of plain data, without any dependency.

Markup is put together here and nowhere else, and everything in it that is not markup is escaped.
An object's `_repr_html_` hands its numbers and names to the file for its kind. What may be shown of a
secret is decided in `ipa.display.disclosure`.
"""

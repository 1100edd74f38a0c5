"""Interoperable Private Attribution (IPA): a reference implementation in pure Python."""

"""Byte strings of the client formats: big-endian integers and length-prefixed strings.

All formats are tabled in SPEC_NOTES.md, Byte formats (SPEC_NOTES: client-byte-format).

uN        an unsigned integer of N bits, big-endian
string    u8 length (1 to 255), then that many bytes of UTF-8: a name (ipa.names.check_identifier)
opaque    u16 length, then that many bytes
"""

import struct

from ipa.client.rejection import Reason, reject
from ipa.errors import ParameterError
from ipa.names import check_identifier, is_identifier

MAX_OPAQUE_BYTES = (1 << 16) - 1


def encode_string(value: str) -> bytes:
    """The bytes of a `string`.

    Raises: ParameterError when it is not one.
    """
    check_identifier("a name", value)
    data = value.encode()
    return bytes([len(data)]) + data


def encode_opaque(data: bytes) -> bytes:
    """The bytes of an `opaque`.

    Raises: ParameterError when it is longer than 65,535 bytes.
    """
    if len(data) > MAX_OPAQUE_BYTES:
        raise ParameterError(f"at most {MAX_OPAQUE_BYTES} bytes fit here, not {len(data)}")
    return len(data).to_bytes(2, "big") + data


class Reader:
    """Reads the fields of a byte string in order. `what` names the object, for messages.

    Raises: ReportError MALFORMED, from every method, when the bytes are not what is asked for.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._data):
            reject(Reason.MALFORMED, f"{self._what} ends after {len(self._data)} bytes, too early")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def integer(self, size: int) -> int:
        """The next unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def integers(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next integers, laid out as `layout` says: one call for several."""
        return layout.unpack(self.take(layout.size))

    def opaque(self) -> bytes:
        """The next `opaque`."""
        return self.take(self.integer(2))

    def string(self) -> str:
        """The next `string`."""
        data = self.take(self.integer(1))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = ""
        if not is_identifier(text):
            reject(Reason.MALFORMED, f"{self._what} has a name that is no identifier")
        return text

    def finish(self) -> None:
        """Refuse bytes left over."""
        left = len(self._data) - self._at
        if left:
            reject(Reason.MALFORMED, f"{self._what} is followed by {left} bytes too many")

"""Small files that are written whole or not at all, and those that only their owner may read.

A private file is created with owner-only permissions before a byte is written, and one that others
can read is refused on loading, as ssh does: what is in it must be taken as known, and a warning would
go unread (SPEC_NOTES: key-file-permissions).
"""

import os
import stat
import tempfile
from pathlib import Path

from ipa.errors import ReportError

MAX_FILE_BYTES = 1 << 24
PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write or replace a file, atomically: it is written beside the old one and then renamed.

    Raises: OSError when it cannot be written; the old file is then as it was.
    """
    # mkstemp creates its file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_file(path: Path, *, private: bool) -> bytes:
    """The contents of a file of at most `MAX_FILE_BYTES`.

    Raises: ReportError when it cannot be read or is larger, and for a `private` file if (on POSIX
    systems) its group or others have any permission on it.
    """
    try:
        with path.open("rb") as file:
            # Permissions of the open file, not of the name, which may change in between.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if private and os.name == "posix" and mode & 0o077:
                raise ReportError(
                    f"{path} may be read by others (mode {mode:04o}): chmod 600 it, or better "
                    "replace the key"
                )
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ReportError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    return data

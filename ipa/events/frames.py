"""Frames of pandas and polars, in and out, without needing either of them.

A frame that is handed in is told by what it can do. One that is handed out is made by the library that
is asked for, an optional extra, which is imported at that moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol, get_args

from ipa.errors import EventError, ParameterError

FrameLibrary = Literal["pandas", "polars"]


class DataFrame(Protocol):
    """A data frame of pandas or polars, as far as anybody needs to know it here."""

    @property
    def columns(self) -> Any:
        """The names of its columns."""


def records_of(rows: Any) -> Iterable[object]:
    """The rows, one mapping each; polars has `to_dicts` for that, pandas `to_dict("records")`.

    Raises: EventError for what is neither a frame nor rows, such as one mapping or text.
    """
    if isinstance(rows, Mapping | str) or not isinstance(rows, Iterable):
        problem = "there must be a mapping for each event, or a data frame, and not one "
        raise EventError(None, None, f"{problem}{type(rows).__name__}")
    if hasattr(rows, "columns"):
        frame: Any = rows
        records: Iterable[object] = (
            frame.to_dicts() if hasattr(frame, "to_dicts") else frame.to_dict("records")
        )
        return records
    return rows


def new_frame(
    columns: Mapping[str, Sequence[object]], library: FrameLibrary = "pandas"
) -> DataFrame:
    """A frame with these columns, of the library asked for.

    Raises: ParameterError for another library, and for one that is not installed.
    """
    if library not in get_args(FrameLibrary):
        choices = " or ".join(get_args(FrameLibrary))
        raise ParameterError(f"library must be {choices}, not {library!r}")
    try:
        module: Any = import_module(library)
    except ImportError:
        other = next(name for name in get_args(FrameLibrary) if name != library)
        raise ParameterError(
            f"a frame of {library} needs the package {library}: pip install "
            f"'ipa-reference[{library}]', or ask for library={other!r}"
        ) from None
    frame: DataFrame = module.DataFrame({name: list(cells) for name, cells in columns.items()})
    return frame

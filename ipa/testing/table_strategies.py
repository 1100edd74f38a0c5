"""Strategies for tables of numbers, whose ends turn up often."""

from hypothesis import strategies as st


def below(bound: int) -> st.SearchStrategy[int]:
    """0 to bound - 1; both ends turn up often."""
    return st.sampled_from([0, bound - 1]) | st.integers(0, bound - 1)


def columns_of_numbers(rows: int, *widths: int) -> st.SearchStrategy[tuple[list[int], ...]]:
    """For each width a list of `rows` numbers of so many bits."""
    return st.tuples(
        *(st.lists(below(1 << width), min_size=rows, max_size=rows) for width in widths)
    )


def row_counts(most: int = 40) -> st.SearchStrategy[int]:
    """Numbers of rows up to `most`, those around a whole byte often."""
    often = [rows for rows in (0, 1, 2, 3, 5, 7, 8, 9) if rows <= most]
    return st.sampled_from(often) | st.integers(0, most)

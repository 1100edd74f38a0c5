"""The local mathematics of shuffling and of sorting by revealed comparisons: tables in row form."""

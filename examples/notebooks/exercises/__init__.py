"""Checks for the exercises at the end of each notebook, a module for each."""

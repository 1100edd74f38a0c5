"""Arithmetic and sorting on shared values, composed of multiplications."""

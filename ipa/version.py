"""The version of the library, read by its build as well."""

__version__ = "0.2.0"

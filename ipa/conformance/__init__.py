"""The conformance kit: does another implementation of the protocol do what this one does?

An implementation is any program that answers cases, one JSON object a line (`docs/conformance.md`).
`reference` knows the right answer to every case, `drawn_cases` draws cases, `checking` asks a program and
shrinks what it gets wrong, `vectors` reads and writes files of cases. The honest program that uses this
library is `python -m ipa.conformance`.
"""

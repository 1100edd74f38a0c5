"""Reach and frequency across publishers: the protocols of Halo's cross-media measurement system.

`run_measurement` (ipa.halo.measurement) answers one question over impressions in the clear, with
simulated workers. docs/halo.md says which file is what, docs/halo-statements.md where each sentence
of the system's overview is done.
"""

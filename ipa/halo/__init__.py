"""Reach and frequency across publishers: the protocols of Halo's cross-media measurement system.

`run_measurement` (ipa.halo.measurement) answers one question over impressions in the clear, with
simulated workers. docs/halo.md maps the system's overview to the modules.
"""

"""Devices and report collectors: match keys, HPKE, reports, fanout queries. No MPC."""

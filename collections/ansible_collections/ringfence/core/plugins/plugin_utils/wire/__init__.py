"""Formats that the engine writes and the collection reads: plans, verdict tables, journals, addresses and services."""

"""Rows and sentences for people, as plain values without a toolkit: the command prints them, others may show them."""

from ringfence.presenting.line import Line

__all__ = ["Line"]

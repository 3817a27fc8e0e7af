"""Flows: readers of what other programs saw, and the store that keeps it by day."""

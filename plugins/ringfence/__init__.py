"""Agentless micro-segmentation: the engine."""

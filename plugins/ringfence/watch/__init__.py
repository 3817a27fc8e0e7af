"""Watching hosts: what is new on them, look by look, judged, folded into violations, and told to others."""

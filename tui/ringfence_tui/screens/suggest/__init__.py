"""Rules that the traffic suggests: read, edited, taken into the draft, rejected."""

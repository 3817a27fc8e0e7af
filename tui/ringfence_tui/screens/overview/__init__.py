"""The overview: what there is, what decides, what to do next."""

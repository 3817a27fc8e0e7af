"""A plan's diff, the one confirmation, and the board of a rollout that runs or has run."""

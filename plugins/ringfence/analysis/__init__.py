"""Questions put to verdict tables: simulate, explain, reach, diff, lint, invariants."""

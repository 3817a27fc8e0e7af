"""Why a flow's client is taken for the client: the words of `direction_by`, and which is the stronger one."""

from __future__ import annotations

# The sensor says; a host listens there; a service's port; whose packets came first. Then what the flows of a window
# tell of a guess (`ringfence.flows.directions`), and the guess itself.
SENSOR, LISTENER, PORT, FIRST, KNOWN, PEERS, GUESS = REASONS = (
    *("sensor", "listener", "port", "first"),
    *("known", "peers", "guess"),
)
_NAMED = "0"  # the source names both ends: nothing is stronger
_OTHER = REASONS.index(KNOWN)  # what a file's own word means is not known; it is no guess


def ranked(column: str) -> str:
    """Return the SQL of a reason as text whose least is the strongest; `word` takes it back."""
    ranks = " ".join(
        f"WHEN {column} = '{reason}' THEN '{place + 1 + (place >= _OTHER)}{reason}'"
        for place, reason in enumerate(REASONS)
    )
    return f"CASE WHEN {column} IS NULL THEN '{_NAMED}' {ranks} ELSE '{_OTHER + 1}' || {column} END"


def word(column: str) -> str:
    """Return the SQL of the reason that a text of `ranked` stands for, null where the source names the ends."""
    return f"CASE WHEN {column} = '{_NAMED}' THEN NULL ELSE substr({column}, 2) END"

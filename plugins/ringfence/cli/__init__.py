"""The command `ringfence`: a file a command, each loaded only when it is called."""

from ringfence.cli.program import main

__all__ = ["main"]

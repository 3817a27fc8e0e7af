"""What a target calls a dynamic set: a digest of its name, which is all that a table read back knows of it."""

from __future__ import annotations

import hashlib


def set_digest(name: str) -> str:
    """Return what stands for a dynamic set (`fqdn:api.example.org`) in the names of its sets: 12 hex digits."""
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()

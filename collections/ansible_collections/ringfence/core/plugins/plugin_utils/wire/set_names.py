# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a target calls a dynamic set: a digest of its name, which is all that a table read back knows of it."""

from __future__ import annotations

import hashlib


def set_digest(name: str) -> str:
    """Return what stands for a dynamic set (`fqdn:api.example.org`) in the names of its sets: 12 hex digits."""
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()

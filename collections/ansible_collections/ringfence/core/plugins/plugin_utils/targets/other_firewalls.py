# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host tells of the other firewalls on it, as results carry it: as it was listed, compressed, and not judged."""

from __future__ import annotations

import base64
import zlib

from .orders import Reply

# Characters of a report; the script tells fewer.
MOST = 1_000_000


def other_firewalls(reply: Reply) -> str:
    """Return the report in base64 of zlib, empty where the host told none."""
    text = reply.sections.get("beside", "")[:MOST]
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode() if text else ""

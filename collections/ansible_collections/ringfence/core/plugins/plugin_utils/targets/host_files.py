# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file in which the answer of one host is kept: whole or absent, and for this user alone."""

from __future__ import annotations

import json
import os
import tempfile

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError


def write_host_file(directory: str, name: str, data: dict) -> None:
    """Write JSON into `name`.json, for other users unreadable. Raise PlanError if that cannot be done."""
    scratch = None
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(prefix=".writing-", dir=directory)  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, sort_keys=True)
        os.replace(scratch, os.path.join(directory, f"{name}.json"))
        scratch = None
    except OSError as error:
        raise PlanError("directory", f"cannot write below {directory}: {error.strerror}") from error
    finally:
        if scratch is not None:
            os.unlink(scratch)

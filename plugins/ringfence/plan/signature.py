"""Approval of a plan: a signature over `plan.json` by ssh-keygen(1), in a namespace of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ringfence.model.errors import OutsideError
from ringfence.wire.plan_format import NAMESPACE, PLAN_FILE, SIGNATURE_FILE


def sign(directory: Path, key: Path) -> Path:
    """Sign the plan in a directory with a private (or, with an agent, a public) key; return the signature's path.

    Raises OutsideError when ssh-keygen is missing or refuses.
    """
    plan, signature = directory / PLAN_FILE, directory / SIGNATURE_FILE
    signature.unlink(missing_ok=True)
    _ssh_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(plan)], f"the plan was not signed with {key}")
    return signature


def _ssh_keygen(arguments: list[str], failure: str) -> None:
    try:
        done = subprocess.run(["ssh-keygen", *arguments], stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as error:
        raise OutsideError("ssh-keygen is not installed", remedy="install the OpenSSH client") from error
    if done.returncode:
        raise OutsideError(f"{failure}: {done.stderr.strip()}")

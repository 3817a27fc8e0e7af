"""Approval of a plan: a signature over `plan.json` by ssh-keygen(1), in a namespace of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ringfence.model.errors import OutsideError
from ringfence.wire.plan_format import NAMESPACE, PLAN_FILE, SIGNATURE_FILE


def sign(directory: Path, key: Path) -> Path:
    """Sign the plan in a directory with a private (or, with an agent, a public) key; return the signature's path.

    Raise OutsideError when ssh-keygen is missing or refuses.
    """
    return sign_file(directory / PLAN_FILE, directory / SIGNATURE_FILE, key, NAMESPACE)


def sign_file(file: Path, signature: Path, key: Path, namespace: str) -> Path:
    """Sign a file, in a namespace, and return the path of its signature, which is beside it under its name and `.sig`.

    Raise OutsideError when ssh-keygen is missing or refuses.
    """
    signature.unlink(missing_ok=True)
    ssh_keygen(["-Y", "sign", "-n", namespace, "-f", str(key), str(file)], f"{file.name} was not signed with {key}")
    return signature


def ssh_keygen(arguments: list[str], failure: str, given: bytes | None = None) -> str:
    """Return what ssh-keygen prints for some arguments. Raise OutsideError when it is missing or refuses."""
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            stdout=subprocess.PIPE if given is not None else None,
            stderr=subprocess.PIPE,
            check=False,
        )
    except FileNotFoundError as error:
        raise OutsideError("ssh-keygen is not installed", remedy="install the OpenSSH client") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or (done.stdout or b"").decode(errors="replace").strip()
        raise OutsideError(f"{failure}: {said}")
    return (done.stdout or b"").decode(errors="replace")

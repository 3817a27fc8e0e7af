"""Approval of a plan: a signature over `plan.json` by ssh-keygen(1), in a namespace of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.wire.plan_format import NAMESPACE, PLAN_FILE, SIGNATURE_FILE

# ssh-keygen asks an agent or for a passphrase; nobody waits longer than this for the answer of a verification.
VERIFY_SECONDS = 60


def sign(directory: Path, key: Path) -> Path:
    """Sign the plan in a directory with a private (or, with an agent, a public) key; return the signature's path.

    Raises OutsideError when ssh-keygen is missing or refuses.
    """
    plan, signature = directory / PLAN_FILE, directory / SIGNATURE_FILE
    signature.unlink(missing_ok=True)
    _ssh_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(plan)], f"the plan was not signed with {key}")
    return signature


def verify_signature(directory: Path, allowed_signers: Path) -> str:
    """Return the principal that signed the plan in a directory.

    `allowed_signers` is in the format of ssh-keygen(1), "ALLOWED SIGNERS". Raises InputError for a plan without a
    signature, with one that does not fit, or by somebody who is not in the file.
    """
    plan, signature = directory / PLAN_FILE, directory / SIGNATURE_FILE
    if not signature.exists():
        raise InputError("the plan is not signed", Place(str(plan)), remedy="sign it with 'ringfence plan --sign KEY'")
    if not allowed_signers.exists():
        raise InputError("there is no such file of allowed signers", Place(str(allowed_signers)))
    found = subprocess.run(
        ["ssh-keygen", "-Y", "find-principals", "-s", str(signature), "-f", str(allowed_signers)],
        capture_output=True,
        text=True,
        timeout=VERIFY_SECONDS,
        check=False,
    )
    principals = found.stdout.split("\n")[0].strip().split(",")
    if found.returncode or not principals[0]:
        raise InputError(f"who signed the plan is not in {allowed_signers}", Place(str(signature)))
    principal = principals[0]
    arguments = ["-Y", "verify", "-n", NAMESPACE, "-s", str(signature), "-f", str(allowed_signers), "-I", principal]
    with plan.open("rb") as text:
        checked = subprocess.run(
            ["ssh-keygen", *arguments], stdin=text, capture_output=True, text=True, timeout=VERIFY_SECONDS, check=False
        )
    if checked.returncode:
        raise InputError("the signature does not fit the plan: one of them was changed", Place(str(signature)))
    return principal


def _ssh_keygen(arguments: list[str], failure: str) -> None:
    try:
        done = subprocess.run(["ssh-keygen", *arguments], stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as error:
        raise OutsideError("ssh-keygen is not installed", remedy="install the OpenSSH client") from error
    if done.returncode:
        raise OutsideError(f"{failure}: {done.stderr.strip()}")

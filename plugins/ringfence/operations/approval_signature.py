"""Signatures of approvals: who made one, as ssh-keygen proves it, and whether the key asked its owner."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ringfence.files import regular_file
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.plan.signature import ssh_keygen

# The namespace of ssh-keygen(1), `-n`: a signature over a plan approves no permission.
NAMESPACE = "ringfence-emergency"
# Flags of a signature by a security key (OpenSSH, PROTOCOL.u2f): its owner was asked for a PIN or a finger.
VERIFIED = 0x04
CHANGED = "the signature is not one of this request: it was changed after it was signed, or something else was signed"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class ApprovalSignature:
    """A signature that holds: of which principals, by a key in hardware, and with its owner verified."""

    principals: tuple[str, ...]
    hardware: bool
    verified: bool


def signed_by(file: Path, signature: Path, signers: Path, asked: Iterable[str] = ()) -> ApprovalSignature:
    """Return who signed a file, of the principals that are asked for and those that the allowed signers name.

    These name principals by patterns, so ssh-keygen is asked for every name, and none is compared with a pattern here.
    Raise InputError where nobody of the allowed signers signed it.
    """
    place = Place(str(signature))
    wrong = "sign it anew: ringfence approve"
    try:
        content = regular_file(file)
        said: list[str] = []
        found = _keygen(["-Y", "find-principals", "-f", str(signers), "-s", str(signature)], b"", said)
        # a pattern of `!` says who it is not
        named = [one for one in found.splitlines() if one and not one.startswith("!")]
        verify = ["-Y", "verify", "-n", NAMESPACE, "-f", str(signers), "-s", str(signature), "-I"]
        principals = tuple(one for one in dict.fromkeys([*asked, *named]) if _keygen([*verify, one], content, said))
    except OSError as error:
        raise InputError(f"the signature cannot be checked: {error.strerror}", place, wrong) from error
    if not principals:
        whole = _keygen(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(signature)], content, [])
        if whole:
            _refuse_line(signers, said)
        raise InputError("the signature is of no allowed signer" if whole else CHANGED, place, wrong)
    try:
        hardware, verified = _flags(regular_file(signature).decode("ascii"))
    except (ValueError, struct.error, binascii.Error) as error:
        raise InputError("this is not a signature of ssh-keygen", place, wrong) from error
    return ApprovalSignature(principals, hardware, verified)


def _refuse_line(signers: Path, said: Iterable[str]) -> None:
    """Raise InputError for the first line of the allowed signers with which ssh-keygen found a fault, if any."""
    for line in said:
        found = re.search(rf"{re.escape(str(signers))}:(\d+): ([ -~]{{1,200}})", line)
        if found:
            raise InputError(
                f"the signature is of no allowed signer: {found[2].strip()}",
                Place(str(signers), int(found[1])),
                "correct this line (its options are one word, joined by commas), or sign with a key of another one",
            )


def _keygen(arguments: list[str], given: bytes, said: list[str]) -> str:
    """Return what ssh-keygen prints, nothing where it refuses; `said` gets its reasons.

    Raise OutsideError where it is not installed.
    """
    try:
        return ssh_keygen(arguments, "not signed", given)
    except OutsideError as error:
        if "not installed" in error.message:
            raise
        said.extend(error.message.splitlines())
        return ""


def _flags(text: str) -> tuple[bool, bool]:
    """Return whether a signature is of a key in hardware and its owner was verified (PROTOCOL.sshsig, PROTOCOL.u2f)."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines[:1] != [_BEGIN] or lines[-1:] != [_END]:
        raise ValueError("no armour")
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    if blob[:6] != b"SSHSIG":
        raise ValueError("no signature")
    rest = blob[10:]
    for _ in range(4):  # the public key, the namespace, what is reserved, the hash
        _, rest = _string(rest)
    inner, _ = _string(rest)
    kind, rest = _string(inner)
    if not kind.startswith(b"sk-"):
        return False, False
    _, rest = _string(rest)
    return True, bool(rest[0] & VERIFIED)


def _string(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise ValueError("cut short")
    return data[4 : 4 + length], data[4 + length :]

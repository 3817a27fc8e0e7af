"""The format that a file seems to be of, by its first lines, for who named another one."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path

from ringfence.flows.unpacked import GZIP

_LOOKED_AT = 1 << 14
_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
# NetFlow v5, v9 and IPFIX begin with their version.
_EXPORTS = (b"\0\x05\0", b"\0\x09\0", b"\0\x0a")
# In this order: a kernel's line may stand within anything.
_TEXTS = (
    ("zeek", re.compile(r"^#separator|^#fields\t.*\bid\.orig_h\b", re.M)),
    ("pfirewall", re.compile(r"^#(Software: Microsoft Windows Firewall|Fields: date time action protocol)", re.M)),
    ("vpc", re.compile(r"\bsrcaddr\b[\s,]+.*\bdstaddr\b|^\d+ \S+ (eni-\w+|-) \S+ \S+ \S+ \S+ ", re.M)),
    ("denials", re.compile(r"\bIN=\S* OUT=\S*.* SRC=\S+ DST=\S+", re.M)),
    ("conntrack", re.compile(r"\bsrc=\S+ dst=\S+ (sport=|type=|.*\[UNREPLIED\])", re.M)),
    ("csv", re.compile(r"^(?=.*\bclient\b)(?=.*\bserver\b)(?=.*\bport\b)(?=.*\bprotocol\b)[^{]*$", re.M)),
)
_OBJECTS = (
    ("json", r'"client"\s*:.*"server"\s*:|"server"\s*:.*"client"\s*:'),
    ("hosts", r'"(flows|listeners|LocalAddress)"\s*:'),
    ("zeek", r'"id\.orig_h"|"orig_h"\s*:'),
    ("vpc", r'"srcaddr"\s*:'),
    ("denials", r'"MESSAGE"\s*:|"denials?"\s*:'),
)


def seeming(path: Path) -> str | None:
    """Return the name of the built-in format that a file seems to be of; None where it seems of none, or is unread."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
        if start.startswith(GZIP):
            start = zlib.decompressobj(wbits=31).decompress(start, _LOOKED_AT)
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile):
        return None
    if start.startswith(b"PAR1"):
        return "vpc"
    if start.startswith((*_CAPTURES, *_EXPORTS)):
        return "netflow"
    text = start.decode("utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")) and not _is_log(text):
        # a report of a host has flows in it, which look like those of json
        whole = _keys(text)
        if "flows" in whole:
            return "hosts"
        return next((name for name, words in _OBJECTS if re.search(words, text, re.S)), None)
    return next((name for name, words in _TEXTS if words.search(text)), None)


def _is_log(text: str) -> bool:
    """Tell text that begins with a bracket and is no JSON: a kernel's lines begin with `[ 9557.1]`."""
    return re.match(r"\s*\[\s*\d+\.\d+\]", text) is not None


def _keys(text: str) -> set[str]:
    """Return the names of the first object, as far as its first line or the whole text is JSON."""
    for one in (text.lstrip().partition("\n")[0], text):
        try:
            value = json.loads(one)
        except (ValueError, RecursionError):
            continue
        return set(value) if isinstance(value, dict) else set()
    return set(re.findall(r'^\s{0,2}"(\w+)"\s*:', text, re.M)) | set(re.findall(r'^\{"(\w+)"', text))

"""The file of a draft: its text, who wrote it last, and what becomes of one that is damaged."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ringfence.estate.draft_changes import change_of, data_of, refuse_foreign
from ringfence.estate.draft_values import Damaged, Draft, Written, Wrote
from ringfence.files import may_write, own_file
from ringfence.model.errors import InputError
from ringfence.person import person
from ringfence.workspace import STATE

FILE = "draft.json"
FORMAT = 1
ASIDE = "draft-damaged-"


def text_of(draft: Draft) -> str:
    """Return the text of a draft's file, which says that this process wrote it now."""
    written, by = draft.written, _this_process()
    data = {
        "format": FORMAT,
        "by": {"who": by.who, "host": by.host, "pid": by.pid, "at": by.at},
        "changes": [data_of(one) for one in draft.changes],
        "undone": [data_of(one) for one in draft.undone],
        "base": dict(draft.base),
        "written": {"before": dict(written.before), "after": dict(written.after)} if written else None,
    }
    return json.dumps(data, indent=1) + "\n"


def read_draft_file(path: Path) -> Draft:
    """Return what a file holds, an empty draft where there is none. Raise Damage for what is no draft of our own."""
    if not path.exists() and not path.is_symlink():
        return Draft()
    content = own_file(path)
    if not content:
        raise Damage("it is empty, a link, or others may write it too")
    return replace(_draft_of(_json(content)), version=hashlib.sha256(content).hexdigest()[:16])


class Damage(Exception):
    """Why a file is no draft, and at which line and column that shows (0: at none)."""

    def __init__(self, why: str, line: int = 0, column: int = 0) -> None:
        super().__init__(why)
        self.why, self.line, self.column = why, line, column


def set_aside(path: Path) -> Path:
    """Move a damaged draft to a name of its own beside it, and return that. Raise OSError."""
    may_write(path)
    stem = f"{ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{f'-{number}' if number else ''}.json") for number in range(1000))
    target = next(one for one in names if not one.exists() and not one.is_symlink())
    path.rename(target)
    return target


def damaged_of(path: Path) -> Damaged | None:
    """Return what is told of a file: where it is damaged and why; None for a whole one."""
    try:
        read_draft_file(path)
    except Damage as damage:
        return Damaged(f"{STATE}/{path.name}", damage.why, damage.line, damage.column)
    return None


def aside(path: Path) -> tuple[Damaged, ...]:
    """Return the damaged drafts that were moved aside and are there still, the last first."""
    found = sorted(path.parent.glob(f"{ASIDE}*.json"), reverse=True)
    return tuple(damaged_of(one) or Damaged(f"{STATE}/{one.name}", "it is whole again") for one in found)


def _this_process() -> Wrote:
    return Wrote(person(), platform.node(), os.getpid(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")


def _json(content: bytes) -> object:
    try:
        return json.loads(content.decode())
    except json.JSONDecodeError as error:
        raise Damage(f"no JSON: {error.msg}", error.lineno, error.colno) from error
    except UnicodeDecodeError as error:
        raise Damage("no UTF-8", content.count(b"\n", 0, error.start) + 1, 1) from error
    except (ValueError, RecursionError) as error:
        raise Damage("no JSON that can be read") from error


def _draft_of(data: object) -> Draft:
    if not isinstance(data, dict):
        raise Damage("it holds no draft")
    if data.get("format") != FORMAT:
        raise Damage(f"its format is {data.get('format')!r:.20}, and this release reads {FORMAT}")
    part = ""
    try:
        json.dumps(data, ensure_ascii=False).encode()  # what is no text in UTF-8 could not be written
        part = "changes"
        changes = tuple(change_of(one) for one in data[part])
        part = "undone"
        undone = tuple(change_of(one) for one in data[part])
        part = "written"
        written = data[part]
        kept = Written(_texts(written["before"]), _whole(written["after"])) if written is not None else None
        part = "base"
        return Draft(changes, undone, _texts(data[part]), kept, by=_wrote(data.get("by")))
    except InputError as error:
        raise Damage(f"'{part}': {error.message}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damage(f"'{part}' is not what a draft has there" if part else "it holds what is no text") from error


def _wrote(data: object) -> Wrote | None:
    """Return who wrote a draft; None where it does not say, as drafts of earlier releases."""
    match data:
        case {"who": str(who), "host": str(host), "pid": int(pid), "at": str(at)}:
            return Wrote(who, host, pid, at)
    return None


def _texts(data: object) -> dict[str, str | None]:
    if not isinstance(data, dict) or not all(one is None or isinstance(one, str) for one in data.values()):
        raise TypeError
    for file in data:
        refuse_foreign(file)
    return dict(data)


def _whole(data: Mapping[str, object]) -> dict[str, str]:
    return {file: text for file, text in _texts(data).items() if text is not None}

"""A format that files are not of, said once for all of their rows, with the one that they seem to be of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity

if TYPE_CHECKING:
    from ringfence.flows.reading import Reading

_FIELDS_OF = "vpc"


def refuse_fields(fields: str, flows_format: str) -> None:
    """Raise InputError where names of fields are given for a built-in format that has no use for them."""
    from ringfence.flows.readers import BUILT_IN

    if fields and flows_format in BUILT_IN and flows_format != _FIELDS_OF:
        raise InputError(
            f"--fields names the fields of VPC flow logs: the format {flows_format} has names of its own",
            remedy="leave --fields out, or give --format vpc; columns of CSV are named by its header",
        )


def otherwise(path: Path | str, flows_format: str) -> str | None:
    """Return the format that a file, or the first of a directory, seems to be of; None where it is the one named."""
    from ringfence.flows.seeming import seeming

    there = Path(path)
    if there.is_dir():
        files = (Path(directory, name) for directory, _, names in os.walk(there) for name in sorted(names))
        there = next((file for file in files if not file.name.startswith(".")), there)
    found = seeming(there) if there.is_file() else None
    return None if found == flows_format else found


def with_format(error: InputError, path: Path | str, flows_format: str) -> InputError:
    """Return an error that says besides which format the file seems to be of."""
    if not (found := otherwise(path, flows_format)):
        return error
    message = f"it seems to be {found} and is not {flows_format}: {error.message}"
    return InputError(message, error.place or Place(str(path)), f"give --format {found}")


def say_once(paths: Sequence[Path | str], flows_format: str, reading: Reading) -> None:
    """Say it once where all rows of a reading are wrong because its files are of another format."""
    if reading.read or reading.empty or not reading.bad or len(reading.problems) < 1:
        return
    path, found = next(((path, found) for path in paths if (found := otherwise(path, flows_format))), (None, None))
    wrong = [one for one in reading.problems if one.severity is Severity.ERROR]
    if path is None or not wrong:
        return
    message = f"no row is {flows_format}, it seems to be {found} ({wrong[0].message})"
    others = [one for one in reading.problems if one.severity is not Severity.ERROR]
    reading.problems = [*others, Problem(Severity.ERROR, message, Place(str(path)), f"give --format {found}")]

"""`ringfence schema`: the JSON schemas of the files that people write, for their editors."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError, file_error


@command("schema")
@click.argument("name", required=False)
@click.option("--output", "directory", type=click.Path(file_okay=False, path_type=Path), help="Write them all there.")
def schema(session: Session, name: str | None, directory: Path | None) -> None:
    """Print the schema called NAME, or all of them by name."""
    from ringfence.operations.schema import json_schema, write_schemas

    schemas = json_schema()
    if name is not None and name not in schemas:
        raise InputError(f"no schema is called '{name}'", remedy=f"one of {', '.join(sorted(schemas))}")
    if directory is not None:
        try:
            written = write_schemas(directory)
        except OSError as error:
            raise file_error(error, error.filename or directory, "cannot be written") from error
        for path in written:
            session.output.line(str(path))
        return
    session.output.data(schemas[name] if name is not None else schemas)

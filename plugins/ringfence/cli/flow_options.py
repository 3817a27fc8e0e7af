"""The options that choose flows: files of any format, or a span of the workspace's store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])
FORMATS = "csv, json, hosts, vpc or a plug-in's."
FIELDS = click.option(
    "--fields",
    default="",
    metavar="NAMES",
    help="The fields of files that do not name them, as a custom format of VPC flow logs.",
)
FLOW_PATH = click.Path(path_type=Path, allow_dash=True)
SINCE = "From when: 90m, 24h, 7d, a date or time. [7d]"


def flow_options(function: F) -> F:
    """Add the options that choose flows to a command."""
    for option in reversed(
        (
            click.option(
                "--flows",
                "flows_files",
                multiple=True,
                type=FLOW_PATH,
                help="A file of them, a directory of HOST.json, or - for standard input; may be given again.",
            ),
            click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS),
            FIELDS,
            click.option("--since", metavar="TIME", help=SINCE),
            click.option("--until", metavar="TIME", help="Until when."),
        )
    ):
        function = option(function)
    return function

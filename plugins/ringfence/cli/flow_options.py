"""The options that choose flows: files of any format, or a span of the workspace's store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])
FORMATS = "csv, json, hosts, vpc, zeek, netflow, conntrack, denials, pfirewall or a plug-in's."
FIELDS = click.option(
    "--fields",
    default="",
    metavar="NAMES",
    help="The fields of files that do not name them, as a custom format of VPC flow logs.",
)


class FlowPlace(click.Path):
    """A file, a directory, `-`, or a place of AWS, which stays text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path, or the text of a place."""
        if isinstance(value, str) and value.startswith(("s3://", "cloudwatch:")):
            return value
        return super().convert(value, param, ctx)


FLOW_PATH = FlowPlace(path_type=Path, allow_dash=True)
FETCHED_SINCE = "From when to fetch from S3 and CloudWatch Logs: 90m, 24h, 7d, a date or time."
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
                help="A file, a directory, - for standard input, s3://BUCKET/PREFIX, cloudwatch:GROUP; repeatable.",
            ),
            click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS),
            FIELDS,
            click.option("--since", metavar="TIME", help=SINCE),
            click.option("--until", metavar="TIME", help="Until when."),
        )
    ):
        function = option(function)
    return function

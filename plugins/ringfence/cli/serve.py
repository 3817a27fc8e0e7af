"""`ringfence serve`: the terminal application in a browser."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("serve", "serve", "serve --port 8470", "serve --behind-proxy https://ringfence.example.org --port 8470")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; else a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen elsewhere; needs --behind-proxy.")
@click.option(
    "--behind-proxy",
    "proxy",
    metavar="URL",
    default="",
    help="The address that people type, of a proxy of yours: it has TLS, and passes Host on.",
)
@click.option("--allow-changes", "changes", is_flag=True, help="Not read-only: whoever has the address may roll out.")
def serve(session: Session, port: int, host: str, proxy: str, changes: bool) -> None:
    """Open the terminal application in a browser, at an address that is told once and cannot be guessed.

    It listens on 127.0.0.1 alone; from another machine: ssh -L 8470:127.0.0.1:8470 HOST. At most four sessions, each
    ended with its page, or after 30 minutes without a key. With --json the first line is the address as data.
    """
    from ringfence.cli.program import application

    as_json = session.output.as_json
    application("browser")(session.chosen, host=host, port=port, proxy=proxy, changes=changes, as_json=as_json)

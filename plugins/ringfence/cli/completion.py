"""`ringfence completion`: the script that teaches a shell our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ringfence.model.errors import InputError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(ringfence completion bash)"        in ~/.bashrc
    zsh:  eval "$(ringfence completion zsh)"         in ~/.zshrc
    fish: ringfence completion fish > ~/.config/fish/completions/ringfence.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise InputError(f"click has no completion for {shell}")
    program = ctx.find_root().command
    click.echo(found(program, {}, "ringfence", "_RINGFENCE_COMPLETE").source())

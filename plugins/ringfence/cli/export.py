"""`ringfence export`: what others can enforce of the policy, in their own words."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.session import Session, command
from ringfence.model.counts import counted
from ringfence.model.errors import file_error
from ringfence.wire.first_few import first_few


@click.group()
def export() -> None:
    """Write what others can enforce of the policy, and name what they cannot."""


@command(
    "networkpolicy",
    "export networkpolicy",
    "export networkpolicy --label role=app.kubernetes.io/component --output k8s",
    group=export,
    question=True,
    by_files=True,
)
@click.option("--cluster", metavar="NAME", help="The cluster, where the inventory has pods of several.")
@click.option("--label", "labels", multiple=True, metavar="OURS=THEIRS", help="The Kubernetes label behind a label.")
@click.option("--output", "directory", type=click.Path(file_okay=False, path_type=Path), help="Write files there.")
def networkpolicy(session: Session, cluster: str | None, labels: tuple[str, ...], directory: Path | None) -> None:
    """Print the policy as NetworkPolicy and ClusterNetworkPolicy for the pods of a cluster.

    Exit status 1, and nothing written, where a part of the policy has no word there: each is named with its place.
    """
    from ringfence.operations.export_networkpolicy import export_networkpolicy, label_keys, write_exported

    made = export_networkpolicy(session.estate, cluster, label_keys(labels))
    written: list[Path] = []
    if directory is not None and not made.refused:
        try:
            written = write_exported(made, directory)
        except OSError as error:
            raise file_error(error, error.filename or directory, "cannot be written") from error
    if session.output.as_json:
        session.output.data(
            {
                "cluster": made.cluster,
                "pods": made.pods,
                "files": {} if made.refused else made.files,
                "refused": [one.data() for one in made.refused],
                "left_out": [{"id": rule.id, "name": rule.name, "place": str(rule.place)} for rule in made.left_out],
                "unlogged": [rule.id for rule in made.unlogged],
                "on_nodes": list(made.on_nodes),
            }
        )
    elif not made.refused and directory is None:
        click.echo("".join(made.files.values()).encode(), nl=False)
    for path in written:
        session.output.line(str(path))
    for one in made.refused:
        place = f"{one.place}: " if one.place else ""
        session.output.note(f"{place}'{one.name}': {one.reason}", "red")
        if one.remedy:
            session.output.note(f"  → {one.remedy}")
    if made.refused:
        session.output.note(f"{counted(len(made.refused), 'refusal')}: nothing is exported")
        raise click.exceptions.Exit(1)
    for rule in made.left_out:
        session.output.note(f"{rule.place}: '{rule.name}' speaks for no pod of cluster '{made.cluster}': left out")
    if made.on_nodes:
        session.output.note(
            f"{counted(len(made.on_nodes), 'pod')} with 'hostNetwork': {first_few(made.on_nodes)}: "
            "most plug-ins enforce nothing there, and selectors of pods do not meet it"
        )
        session.output.note("  → to let it reach pods, write the networks of its nodes")
    for rule in made.unlogged:
        session.output.note(f"{rule.place}: '{rule.name}' is exported without 'log'")

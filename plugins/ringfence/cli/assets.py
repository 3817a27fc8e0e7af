"""`ringfence assets`: the assets of the inventory, all of them or those that a few words find."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("assets")
@click.argument("words", nargs=-1, metavar="[WORD]...")
def assets(session: Session, words: tuple[str, ...]) -> None:
    """List assets; WORDs narrow them: role=web, 10.0.0.0/8, a part of a name or label."""
    from ringfence.model.addresses import address_text
    from ringfence.sources.finding import find

    snapshot = session.snapshot
    chosen = find(snapshot, " ".join(words)) if words else snapshot.assets
    if session.output.as_json:
        session.output.data(
            [
                {
                    "name": asset.name,
                    "addresses": [address_text(point) for point in asset.addresses],
                    "labels": {
                        key: {"value": label.value, "rule": label.rule} for key, label in sorted(asset.labels.items())
                    },
                    "sources": list(asset.sources),
                    "realm": asset.realm,
                    "workload": asset.workload,
                    "enforcer": asset.enforcer,
                }
                for asset in chosen
            ]
        )
        return
    session.output.problems(session.survey.problems)
    session.output.table(
        ("asset", "addresses", "labels", "enforced by"),
        (
            (
                asset.name,
                " ".join(address_text(point) for point in asset.addresses),
                " ".join(f"{key}={label.value}" for key, label in sorted(asset.labels.items())),
                asset.enforcer if asset.workload else "nothing",
            )
            for asset in chosen
        ),
    )
    session.output.line(f"{len(chosen)} of {len(snapshot.assets)} assets")

"""`ringfence labels`: every label of every asset with the rule that gave it."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("labels")
@click.argument("words", nargs=-1, metavar="[WORD]...")
def labels(session: Session, words: tuple[str, ...]) -> None:
    """Show labels with the rule that gave each; WORDs narrow the assets, as for 'ringfence assets'."""
    from ringfence.model.problems import Severity
    from ringfence.sources.finding import find

    survey = session.survey
    chosen = find(survey.snapshot, " ".join(words)) if words else survey.snapshot.assets
    if session.output.as_json:
        session.output.data(
            {
                "assets": {
                    asset.name: {
                        key: {"value": label.value, "rule": label.rule} for key, label in sorted(asset.labels.items())
                    }
                    for asset in chosen
                },
                "problems": [problem.data() for problem in survey.problems],
            }
        )
    else:
        session.output.table(
            ("asset", "label", "value", "given by"),
            (
                (asset.name, key, label.value, label.rule)
                for asset in chosen
                for key, label in sorted(asset.labels.items())
            ),
        )
        session.output.problems(survey.problems)
    if any(problem.severity is Severity.ERROR for problem in survey.problems):
        click.get_current_context().exit(2)

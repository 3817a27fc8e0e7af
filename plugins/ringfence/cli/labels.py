"""`ringfence labels`: every label with the rule that gave it, and proposals for those that are lacking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.looked_at import LookedAt, flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.words import WordsOrCommand
from ringfence.model.counts import counted
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.analysis.suggest_labels import Suggestion, Talk

LISTING = "list"


@click.group("labels", cls=WordsOrCommand, otherwise=LISTING)
def labels() -> None:
    """Show every label with the rule that gave it: ringfence labels [WORD]...; or propose those that are lacking."""


@command(LISTING, group=labels)
@click.argument("words", nargs=-1, metavar="[WORD]...")
def listing(session: Session, words: tuple[str, ...]) -> None:
    """Show labels with the rule that gave each; WORDs narrow the assets, as for 'ringfence assets'."""
    from ringfence.cli.asking import Asking
    from ringfence.cli.assets_shown import given_by, label_data
    from ringfence.model.problems import Severity

    survey = session.survey
    chosen = Asking(session.workspace, survey.snapshot).assets(words)
    if session.output.as_json:
        session.output.data(
            {
                "assets": {
                    asset.name: {key: label_data(label) for key, label in sorted(asset.labels.items())}
                    for asset in chosen
                },
                "problems": [problem.data() for problem in survey.problems],
            }
        )
    else:
        session.output.table(
            ("asset", "label", "value", "given by"),
            (
                (asset.name, key, label.value, given_by(label))
                for asset in chosen
                for key, label in sorted(asset.labels.items())
            ),
        )
        session.output.problems(survey.problems)
    if any(problem.severity is Severity.ERROR for problem in survey.problems):
        click.get_current_context().exit(2)


@command("suggest", group=labels)
@flow_options
@click.option("--no-flows", is_flag=True, help="Look at names and gathered facts alone.")
@click.option("--accept", multiple=True, metavar="NAME", help="Write this proposal into labels.yml, as role=db:ports.")
def suggest(
    session: Session,
    flows_files: tuple[Path, ...],
    flows_format: str,
    since: str | None,
    until: str | None,
    no_flows: bool,
    accept: tuple[str, ...],
) -> None:
    """Propose role and app labels from names, ports and communication, with the evidence; a person accepts them."""
    from ringfence.analysis.suggest_labels import suggestions

    looked_at = None if no_flows else LookedAt(flows_files, flows_format, since, until)
    found = suggestions(session.snapshot, _talks(session, looked_at))
    accepted = [one for name in accept for one in _named(found, name)]
    rules = _written(session, accepted)
    if session.output.as_json:
        wrong = looked_at.unread if looked_at else 0
        session.output.data({"suggestions": [one.data() for one in found], "accepted": rules, "wrong": wrong})
    elif accepted:
        for one, rule in zip(accepted, rules, strict=True):
            session.output.line(f"{one.name} written into labels.yml, priority {rule['priority']}", style="green")
    else:
        _proposals(session, found)
    if looked_at and looked_at.unread:
        looked_at.tell_wrong(session, looked_at.unread)
        click.get_current_context().exit(2)


def _proposals(session: Session, found: tuple[Suggestion, ...]) -> None:
    for one in found:
        session.output.line(f"{one.name}  {counted(len(one.assets), 'asset')}", bold=True)
        session.output.line(f"  when {one.when}")
        for reason in one.evidence:
            session.output.line(f"  {reason}")
    session.output.line(f"{counted(len(found), 'proposal')}; to take one: ringfence labels suggest --accept NAME")


def _talks(session: Session, looked_at: LookedAt | None) -> list[Talk]:
    """Return who of the assets talks to whom, busiest first."""
    from ringfence.analysis.suggest_labels import Talk

    if looked_at is None:
        return []
    with looked_at.window(session) as window:
        rows = window.rows(
            "SELECT client_asset, server_asset,"
            " CASE protocol WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE 'sctp' END || '/' || port, sum(connections)"
            " FROM flows WHERE client_asset IS NOT NULL AND server_asset IS NOT NULL AND protocol IN (6, 17, 132)"
            " GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3"
        )
    return [Talk(str(client), str(server), str(service), int(str(count))) for client, server, service, count in rows]


def _named(found: tuple[Suggestion, ...], name: str) -> list[Suggestion]:
    """Return the proposals of a name, `role=db:ports` or all of `role=db`."""
    chosen = [one for one in found if name in (one.name, one.name.rpartition(":")[0])]
    if not chosen:
        raise InputError(f"nothing called '{name}' is proposed", remedy="ringfence labels suggest shows what is")
    return chosen


def _written(session: Session, accepted: list[Suggestion]) -> list[dict[str, object]]:
    """Write proposals into labels.yml, each behind the others in priority; return the rules."""
    from ringfence.analysis.suggest_labels import next_priority
    from ringfence.language.editing import add_label_rule
    from ringfence.workspace import LABELS

    first = next_priority(session.workspace.label_rules)
    rules = [one.rule(first + number) for number, one in enumerate(accepted)]
    for rule in rules:
        add_label_rule(session.directory / LABELS, rule)
    return rules

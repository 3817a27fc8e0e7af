"""`ringfence plans`: the plans of a workspace, listed and forgotten."""

from __future__ import annotations

import click

from ringfence.cli.default_group import LISTING, DefaultGroup
from ringfence.cli.forgetting import Asked, forget_asked, forget_options
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@click.group("plans", cls=DefaultGroup, otherwise=LISTING)
def plans() -> None:
    """List the plans of this workspace, and forget old ones."""


@command(LISTING, "plans", "plans --json", group=plans)
def listing(session: Session) -> None:
    """List the plans of this workspace, the newest last."""
    from ringfence.operations.plans import list_plans
    from ringfence.presenting.forgetting_view import size_text

    found = list_plans(session.estate)
    if session.output.as_json:
        session.output.data([one.data() for one in found])
        return
    session.output.table(
        ("plan", "#number", "made (UTC)", "#hosts", "signed", "#size"),
        (
            (
                one.head.short,
                one.head.sequence,
                one.head.created,
                one.head.hosts,
                "yes" if one.signed else "no",
                size_text(one.head.size),
            )
            for one in found
        ),
    )


@command("forget", "plans forget --keep 20", "plans forget --before 30d --yes", "plans forget 5f3a", group=plans)
@forget_options("PLAN", plan_names)
def forget(session: Session, asked: Asked) -> None:
    """Forget old plans: PLANs, or all that the options mean; with several of these, what each of them means.

    The newest plan stays, and whatever hosts hold (as last known), may hold, or a run that is not finished works with.
    """
    from ringfence.operations.forget_plans import forget_plans, plans_to_forget

    forget_asked(session, asked, "plan", plans_to_forget, forget_plans)

"""Values that a shell completes: the names of plans, and of assets as they were last kept. No inventory is asked."""

from __future__ import annotations

import click

from ringfence.cli.session import Session
from ringfence.model.errors import RingfenceError


def plan_names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the directories of plans that begin so, and `latest`."""
    from ringfence.operations import plans

    try:
        found = plans.plan_names(ctx.ensure_object(Session).estate.plans)
    except RingfenceError:  # outside a workspace there is nothing to offer, and a shell has no place for the reason
        return []
    return [name for name in (*found, "latest") if name.startswith(incomplete)]


def asset_names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of assets in the newest snapshot that is kept that begin so."""
    try:
        kept = ctx.ensure_object(Session).estate.history.newest()
    except RingfenceError:
        return []
    return [asset.name for asset in kept.assets if asset.name.startswith(incomplete)] if kept else []


def application_names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the values of the label `app` in the newest snapshot that is kept that begin so."""
    try:
        kept = ctx.ensure_object(Session).estate.history.newest()
    except RingfenceError:
        return []
    found = {asset.labels["app"].value for asset in kept.assets if "app" in asset.labels} if kept else set()
    return sorted(name for name in found if name.startswith(incomplete))


def violation_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids of violations that begin so."""
    from ringfence.operations.violations import known_ids

    try:
        found = known_ids(ctx.ensure_object(Session).estate)
    except RingfenceError:
        return []
    return [key for key in found if key.startswith(incomplete)]

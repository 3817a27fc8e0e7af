"""The `watch` of `ringfence.yml`: who is told of what `ringfence watch` finds, and what counts as what."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ringfence.language.checking import check, fields, items
from ringfence.language.nodes import Node
from ringfence.language.reports import Reports
from ringfence.language.shapes import SYSLOG, WEBHOOK, SinkEntry, WatchEntry
from ringfence.model.spans import seconds
from ringfence.model.watch_settings import WATCH_DEFAULTS, Sends, SinkSettings, WatchSettings

KINDS = ("webhook", "syslog", "file")
# By kind, what a target looks like and how people are told.
SHAPES = {
    "webhook": (re.compile(WEBHOOK), "an https URL", "http is taken to this machine alone: http://127.0.0.1:8080/"),
    "syslog": (re.compile(SYSLOG), "an address of syslog", "write udp://HOST:514, tcp://HOST:601 or unix:///dev/log"),
}


def read_watch(node: Node, reports: Reports) -> WatchSettings:
    """Return what is written under `watch`; defaults for what is wrong and reported."""
    default = WATCH_DEFAULTS
    entry = check(node, WatchEntry, "'watch'", reports)
    if entry is None:
        return default
    sinks = [_sink(one, reports) for one in items(fields(node).get("sinks"))]
    scan = entry.scan
    return WatchSettings(
        fixed_after=seconds(entry.fixed_after) if entry.fixed_after else default.fixed_after,
        scan_targets=scan.targets if scan else default.scan_targets,
        scan_within=max(1, seconds(scan.within)) if scan else default.scan_within,
        sinks=tuple(one for one in sinks if one is not None),
    )


def _sink(node: Node, reports: Reports) -> SinkSettings | None:
    entry = check(node, SinkEntry, "a sink", reports)
    if entry is None:
        return None
    targets = {kind: target for kind in KINDS if (target := getattr(entry, kind)) is not None}
    if len(targets) != 1:
        reports.add(node.place, "a sink is one of webhook, syslog and file", "write each one as an entry of its own")
        return None
    ((kind, target),) = targets.items()
    if kind in SHAPES and not (SHAPES[kind][0].fullmatch(target) and _is_address(target)):
        _, wanted, remedy = SHAPES[kind]
        reports.add(fields(node)[kind].value.place, f"'{kind}' is not {wanted}", remedy)
        return None
    if (entry.token_file or entry.token_env) and (kind != "webhook" or (entry.token_file and entry.token_env)):
        reports.add(
            node.place, "a webhook has one token, and other sinks have none", "keep 'token_file' or 'token_env'"
        )
        return None
    if kind == "webhook" and "@" in target.split("://", 1)[1].split("/", 1)[0]:
        reports.add(
            node.place, "a webhook's URL has no password in it", "give the token by 'token_file' or 'token_env'"
        )
        return None
    return SinkSettings(kind, target, Sends(entry.send), entry.token_file or "", entry.token_env or "")


def _is_address(target: str) -> bool:
    """Return whether libraries take a URL of the right shape: its host, its port, and no character of terminals."""
    try:
        parts = urlsplit(target)
        return (
            target.isascii()
            and target.isprintable()
            and parts.port != 0
            and bool(parts.scheme == "unix" or parts.hostname)
        )
    except ValueError:
        return False

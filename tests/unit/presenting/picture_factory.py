"""Pictures for tests: a small shop, one whose names attack, and drawn ones of any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from ringfence.model.picture import (
    GroupKind,
    Picture,
    PictureEdge,
    PictureGroup,
    PictureService,
    PolicyState,
    Sign,
    SignCount,
)

HELD, FILES = PolicyState.HELD, PolicyState.FILES
UNTIL = datetime(2026, 11, 24, 7, tzinfo=UTC)
INTERNET = PictureGroup(GroupKind.INTERNET, ())
UNKNOWN = PictureGroup(GroupKind.UNKNOWN, ())
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\x1b]0;owned\x07\x9b31m",
    "\u202eevil\u202c",
    '"]; click n0 "javascript:alert(3)"',
    "=cmd|'/c calc'!A0",
    "@POLICY@ %% {{x}} ${y} &amp; #quot;",
    "]]><script>alert(4)</script>\ufffe",
)


def labels(*values: str | None, assets: int = 1) -> PictureGroup:
    return PictureGroup(GroupKind.LABELS, values, assets)


def asset(*values: str | None) -> PictureGroup:
    return PictureGroup(GroupKind.ASSET, values, 1, values[-1] or "")


def service(
    port: int | None, held: Mapping[Sign, int], files: Mapping[Sign, int] | None = None, protocol: int = 6
) -> PictureService:
    """Return a service with so many flows by sign, ten connections each."""
    signs = {HELD: counts(held), FILES: counts(held if files is None else files)}
    return PictureService(protocol, port, signs, UNTIL - timedelta(hours=1))


def counts(flows: Mapping[Sign, int]) -> Mapping[Sign, SignCount]:
    return {sign: SignCount(number, 10 * number) for sign, number in flows.items()}


def edge(client: int, server: int, *services: PictureService, refused: int = 0) -> PictureEdge:
    signs = _sum(one.signs for one in services)
    last = max((one.last for one in services if one.last), default=None)
    return PictureEdge(client, server, signs, SignCount(refused, 3 * refused), services, last)


def picture(levels: Sequence[str], groups: Sequence[PictureGroup], edges: Sequence[PictureEdge]) -> Picture:
    totals = _sum(one.signs for one in edges)
    refused = sum((one.refused for one in edges), SignCount())
    return Picture(
        tuple(levels),
        tuple(groups),
        tuple(edges),
        {HELD: {}, FILES: {}, **totals},
        refused,
        UNTIL - timedelta(days=7),
        UNTIL,
    )


def shop() -> Picture:
    """Return a shop in two environments, whose api of dev reads the database of prod, and the internet."""
    groups = (
        labels("dev", "shop", "api"),
        labels("prod", "shop", "api", assets=2),
        labels("prod", "shop", "db"),
        labels("prod", "shop", "web", assets=3),
        labels("prod", None, None),
        UNKNOWN,
        INTERNET,
    )
    edges = (
        edge(0, 2, service(5432, {Sign.UNDECIDED: 2}, {Sign.DENIED: 2})),
        edge(1, 1, service(7946, {Sign.ALLOWED: 1}, protocol=17)),
        edge(1, 2, service(5432, {Sign.ALLOWED: 4})),
        edge(3, 1, service(8443, {Sign.ALLOWED: 6}), service(22, {Sign.WOULD_BE_DENIED: 1}, {Sign.DENIED: 1})),
        edge(4, 2, refused=5),
        edge(5, 3, service(443, {Sign.NOT_JUDGED: 3})),
        edge(6, 3, service(443, {Sign.ALLOWED: 9}), service(None, {Sign.ALLOWED: 1}, protocol=1)),
    )
    return picture(("env", "app", "role"), groups, edges)


def hostile() -> Picture:
    """Return a picture whose every name attacks what reads it."""
    groups = [labels(name, HOSTILE[(place + 1) % len(HOSTILE)]) for place, name in enumerate(HOSTILE)]
    edges = [
        edge(place, (place + 1) % len(groups), service(443, {Sign.ALLOWED: 1}, {Sign.DENIED: 1}))
        for place in range(len(groups))
    ]
    return picture(("<b>env</b>", "app"), groups, edges)


def drawn(assets: int, edges: int, seed: int = 1) -> Picture:
    """Return a picture of single assets in 3 environments, 24 applications and 4 roles each, with random traffic."""
    random = Random(seed)
    combined = [(env, f"app-{app:02}", role) for env in ("dev", "prod", "test") for app in range(24) for role in ROLES]
    groups = [asset(*combined[n * len(combined) // assets], f"host-{n:05}") for n in range(assets)]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        client = random.randrange(assets)
        near = random.random() < 0.9
        server = (client + random.randrange(-60, 60)) % assets if near else random.randrange(assets // 40) * 40
        pairs.add((client, server))
    signs = (Sign.ALLOWED, Sign.ALLOWED, Sign.ALLOWED, Sign.UNDECIDED, Sign.WOULD_BE_DENIED, Sign.DENIED)
    made = []
    for client, server in sorted(pairs):
        port = random.choice((443, 5432, 8443, 9100, 22))
        made.append(edge(client, server, service(port, {random.choice(signs): random.randrange(1, 40)})))
    return picture(("env", "app", "role", "asset"), groups, made)


ROLES = ("api", "db", "queue", "web")


def _sum(several: object) -> dict[PolicyState, dict[Sign, SignCount]]:
    found: dict[PolicyState, dict[Sign, SignCount]] = {}
    for signs in several:  # type: ignore[attr-defined]  # an iterable of mappings
        for state, of in signs.items():
            into = found.setdefault(state, {})
            for sign, count in of.items():
                into[sign] = into.get(sign, SignCount()) + count
    return found

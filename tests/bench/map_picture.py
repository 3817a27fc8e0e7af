"""A drawn estate's picture: single assets that talk within their application and to a few shared ones."""

from __future__ import annotations

from random import Random

from ringfence.model.picture import Picture, PictureEdge, Sign

from tests.unit.presenting.picture_factory import asset, edge, picture, service

ENVIRONMENTS = ("dev", "prod", "test")
ROLES = ("api", "db", "queue", "web")
APPLICATIONS = 80
SHARED = 2  # applications of an environment that all its others talk to
WITHIN = 0.8  # of the traffic, within one application
SIGNS = (Sign.ALLOWED,) * 6 + (Sign.UNDECIDED, Sign.UNDECIDED, Sign.WOULD_BE_DENIED, Sign.DENIED)
PORTS = (22, 443, 5432, 8443, 9100)


def drawn(assets: int, edges: int, seed: int = 1) -> Picture:
    """Return the picture of so many assets and edges; by env and app it has some 700 edges, each role far more."""
    random = Random(seed)
    members = assets // len(ENVIRONMENTS) // APPLICATIONS  # of an application in one environment
    groups = [
        asset(env, f"app-{app:02}", ROLES[n * len(ROLES) // members], f"{env}-{app:02}-{n:03}")
        for env in ENVIRONMENTS
        for app in range(APPLICATIONS)
        for n in range(members)
    ]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        client = random.randrange(len(groups))
        own = client // members
        shared = own // APPLICATIONS * APPLICATIONS + random.randrange(SHARED)
        server = (own if random.random() < WITHIN else shared) * members + random.randrange(members)
        pairs.add((client, server))
    return picture(("env", "app", "role", "asset"), groups, [_edge(random, *pair) for pair in sorted(pairs)])


def _edge(random: Random, client: int, server: int) -> PictureEdge:
    flows = random.randrange(1, 20)
    held, files = random.choice(SIGNS), random.choice(SIGNS)
    return edge(client, server, service(random.choice(PORTS), {held: flows}, {files: flows}))

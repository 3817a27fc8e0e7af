"""What hypothesis draws: small, nasty estates and policies that every enforcer must be able to carry.

What is drawn from is made once: hypothesis takes longer to make a strategy, and to look through it, than to draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from hypothesis import strategies as st
from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import (
    ANY,
    EVERY_ASSET,
    AddressIn,
    AllOf,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
    leaves,
)
from ringfence.model.services import parse_service, union

from .case import Case

LABELS = {"env": ("prod", "dev"), "role": ("web", "api", "db")}
NAMES = ("w0", "w1", "w2", "w3", "w4", "n0", "n1")
UNITS = ("a.service", "b.service", "x@1.service")
USERS = ("daemon", "games")  # in every Debian's /etc/passwd
WINDOWS = (
    Process(programs=(r"C:\app.exe",)),
    Process(services=("spooler",)),
    Process((), (), (r"C:\app.exe",), ("web",)),
)
ADDRESSES = tuple(
    point_of(text)
    for text in (
        *(f"10.0.0.{last}" for last in (1, 2, 3, 4, 5, 7, 8)),
        *("10.0.1.1", "192.168.7.9", "198.51.100.7", "198.51.100.8", "203.0.113.20"),
        *(f"fd00::{last}" for last in (1, 2, 3, 4, 7)),
        *("fd00:0:0:1::1", "2001:db8::7", "2001:db8::8"),
    )
)
HOST_NAMES = ("pay.example", "cdn.example", "ntp.example")
# What names resolve to: addresses that assets may hold, and such as none does.
ANSWERS = (*ADDRESSES, *(point_of(text) for text in ("198.51.100.9", "203.0.113.21", "10.0.0.6", "2001:db8::9")))
RANGES = (
    *(("10.0.0.0/8",), ("10.0.0.0/29",), ("10.0.0.4/30",), ("10.0.0.3-10.0.0.5",), ("10.0.0.2",), ("0.0.0.0/0",)),
    *(("198.51.100.0/24",), ("198.51.100.8", "10.0.0.1"), ("224.0.0.0/4",), ("128.0.0.0/1",), ("10.0.0.9",)),
    *(("fd00::/64",), ("fd00::/126",), ("fd00::3-fd00::6",), ("2001:db8::7",), ("::/0",), ("0.0.0.0/0", "::/0")),
    *(("10.0.0.0/24", "fd00::/8"),),
)
PORT_SERVICES = (
    *("tcp", "tcp/80", "tcp/80-90", "tcp/85-8080", "tcp/1-65535", "tcp/81", "tcp/8080-65535", "udp", "udp/53"),
    *("udp/50-60", "udp/0-52"),
)
SERVICES = (
    *PORT_SERVICES,
    *("any", "any", "sctp", "sctp/9003", "sctp/9000-9010", "icmp", "icmp/echo-request", "icmp/3", "icmp/9-20"),
    *("icmpv6", "icmpv6/echo-request", "icmpv6/1-4", "ip/50", "ip/47", "ip/253", "ip/1", "ip/58", "ip/6", "ping"),
)
# The unit of an SCTP listener is not seen, and refused; other protocols have no listener that a rule could name.
TOLD_SERVICES = tuple(word for word in SERVICES if word != "any" and not word.startswith("sctp"))
CONTROLS = (Control(("10.0.0.0/29", "fd00::/64"), 22), Control(("10.0.0.3",), 80), Control(("0.0.0.0/0",), 22))
TIERS = (("emergency", "guardrail", "application", "baseline"), ("late", "emergency", "application"), ("only",))


@cache
def labels() -> st.SearchStrategy[dict[str, Label]]:
    """Return label sets with keys now and then absent."""
    return st.fixed_dictionaries(
        {},
        optional={key: st.sampled_from(values).map(lambda v: Label(v, "inventory")) for key, values in LABELS.items()},
    )


@cache
def selectors(names: bool = False) -> st.SearchStrategy[Selector]:
    """Return selectors of every kind that can be judged, nested a little; with `names` also of answers, not negated."""
    label_in = st.one_of(
        *(
            st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(
                lambda chosen, key=key: LabelIn(key, tuple(chosen))
            )
            for key, values in LABELS.items()
        )
    )
    kinds = st.one_of(
        label_in,
        label_in,
        st.just(ANY),
        st.builds(LabelExists, st.sampled_from(sorted(LABELS)), st.booleans()),
        st.builds(AssetNamed, st.sampled_from(NAMES)),
        st.sampled_from(RANGES).map(lambda texts: AddressIn(addresses_of(texts), ",".join(texts))),
        st.sampled_from((Unknown(), Internet(), EVERY_ASSET)),
    )

    def wider(parts: st.SearchStrategy[Selector]) -> st.SearchStrategy[Selector]:
        several = st.lists(parts, min_size=1, max_size=2).map(tuple)
        return st.one_of(parts.map(Not), several.map(AllOf), several.map(AnyOf))

    plain = st.recursive(kinds, wider, max_leaves=4)
    if not names:
        return plain
    named = st.sampled_from(HOST_NAMES).map(FqdnIs)

    def combined(parts: st.SearchStrategy[Selector]) -> st.SearchStrategy[Selector]:
        several = st.lists(st.one_of(parts, plain), min_size=1, max_size=2).map(tuple)
        return st.one_of(several.map(AllOf), several.map(AnyOf))

    return st.one_of(plain, plain, named, st.recursive(named, combined, max_leaves=3))


@cache
def processes(users: bool) -> st.SearchStrategy[Process | None]:
    """Return no process twice as often as one, Windows' now and then; `users` says whether a user can tell the end."""
    names = st.lists(st.sampled_from(UNITS), max_size=2, unique=True).map(lambda chosen: tuple(sorted(chosen)))
    owners = st.lists(st.sampled_from(USERS), max_size=2, unique=True).map(tuple) if users else st.just(())
    linux = st.builds(Process, names, owners).filter(lambda one: bool(one.units or one.users))
    windows = st.sampled_from(WINDOWS)
    return st.one_of(st.none(), st.none(), st.none(), st.none(), linux, st.one_of(linux, windows))


@cache
def peers(users: bool, with_processes: bool, names: bool = False) -> st.SearchStrategy[tuple[Peer, ...]]:
    """Return one or two alternatives of an end of a rule."""
    process = processes(users) if with_processes else st.none()
    narrow = st.lists(st.builds(Peer, selectors(names), process), min_size=1, max_size=2).map(tuple)
    return st.one_of(st.builds(Peer, st.just(ANY), process).map(lambda peer: (peer,)), narrow, narrow)


@st.composite
def rules(draw: st.DrawFn, tiers: tuple[str, ...], with_processes: bool, refused: bool, listeners: bool) -> Rule:
    """Return a rule whose id is to be set by the policy that holds it."""
    destinations = draw(peers(users=refused, with_processes=with_processes and listeners, names=True))
    told_by_unit = any(peer.process for peer in destinations) and not refused
    words = draw(st.lists(st.sampled_from(TOLD_SERVICES if told_by_unit else SERVICES), min_size=1, max_size=2))
    return Rule(
        id="",
        name="",
        place=Place("policy/drawn.yml"),
        sources=draw(peers(users=True, with_processes=with_processes)),
        destinations=destinations,
        action=draw(st.sampled_from((Action.ALLOW, Action.ALLOW, Action.DENY, Action.PASS))),
        services=union(parse_service(word) for word in words),
        tier=draw(st.sampled_from(tiers)),
        priority=draw(st.sampled_from((100, 50, 150))),
        sides=draw(st.sampled_from((frozenset(Direction), frozenset({Direction.IN}), frozenset({Direction.OUT})))),
        log=draw(st.sampled_from((False, False, True))),
    )


@st.composite
def policies(draw: st.DrawFn, tiers: tuple[str, ...], with_processes: bool, refused: bool, listeners: bool) -> Policy:
    """Return up to six rules and a mode for most workloads."""
    rule = rules(tiers, with_processes, refused, listeners)
    drawn = draw(st.lists(rule, min_size=draw(st.sampled_from((0, 1, 3))), max_size=7))
    named = tuple(
        Rule(f"{number:08x}", f"rule {number}", *(getattr(rule, field) for field in Rule.__slots__[2:]))
        for number, rule in enumerate(drawn)
    )
    return Policy(rules=named, enforcement=tuple(draw(enforcements())))


@cache
def enforcements() -> st.SearchStrategy[list[Enforcement]]:
    """Return a mode for all workloads, or up to three for some."""
    mode = st.sampled_from((Mode.FULL, Mode.FULL, Mode.SELECTIVE, Mode.OBSERVE))
    where = st.one_of(
        st.just(ANY),
        st.builds(AssetNamed, st.sampled_from(NAMES)),
        st.sampled_from((LabelIn("env", ("prod",)), Not(LabelIn("role", ("web",))), LabelExists("role"))),
    )
    one = st.builds(Enforcement, where, mode, mode, st.just(Place("policy/enforcement.yml")))
    everywhere = Enforcement(ANY, Mode.FULL, Mode.FULL, Place("policy/enforcement.yml"))
    return st.one_of(st.just([everywhere]), st.lists(one, max_size=3))


@st.composite
def estates(draw: st.DrawFn, settings: Settings) -> Snapshot:
    """Return two to five workloads and up to two other assets; addresses may be shared inside a realm (VIPs)."""
    workloads = draw(st.integers(2, 5))
    others = draw(st.integers(0, 2))
    realms = sorted({"default", *settings.realms})
    joined = any(settings.realms.values())
    held: dict[int, str] = {}
    assets = []
    for name in (*NAMES[:workloads], *NAMES[5 : 5 + others]):
        realm = draw(st.sampled_from(realms))
        drawn = draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=4, unique=True))
        alone = point_of(f"10.9.0.{1 + len(assets)}")
        addresses = tuple(sorted(one for one in drawn if not joined or held.setdefault(one, realm) == realm)) or (
            alone,
        )
        control = draw(st.sampled_from((None, None, None, *CONTROLS)))
        assets.append(Asset(name, addresses, draw(labels()), realm, workload=name.startswith("w"), control=control))
    return Snapshot(tuple(sorted(assets, key=lambda asset: asset.name)), datetime(2026, 1, 1, tzinfo=UTC))


@st.composite
def cases(draw: st.DrawFn, with_processes: bool = True, refused: bool = False, listeners: bool = True) -> Case:
    """Return an estate, a policy and settings that go together, and the answers to the names in it.

    `refused`: also what the nftables enforcer refuses; `listeners`: also rules that name who listens.
    """
    realms = draw(
        st.sampled_from(
            ({}, {}, {"blue": ("default",)}, {"blue": (), "default": ()}, {"default": ("blue",), "blue": ()})
        )
    )
    tiers = draw(st.sampled_from(TIERS))
    settings = Settings(control=draw(st.sampled_from((None, None, *CONTROLS))), realms=realms, tiers=tiers)
    usable = ("emergency", *(tier for tier in tiers if tier != "emergency"))
    policy = draw(policies(usable, with_processes, refused, listeners))
    named = [
        name
        for name in HOST_NAMES
        if any(
            leaf == FqdnIs(name)
            for rule in policy.rules
            for peer in rule.destinations
            for leaf in leaves(peer.selector)
        )
    ]
    answers = {name: draw(st.frozensets(st.sampled_from(ANSWERS), max_size=4)) for name in named}
    return Case(draw(estates(settings)), policy, settings, answers)


def process_rules(tier: str) -> Iterator[Rule]:
    """Yield rules that let one unit out and another one in."""
    any_, services, place = (Peer(ANY),), parse_service("any"), Place("policy/drawn.yml")
    out, into = ((Peer(ANY, Process((unit,))),) for unit in UNITS[:2])
    for name, ends, side in (("0000a001", (out, any_), Direction.OUT), ("0000a002", (any_, into), Direction.IN)):
        yield Rule(name, name, place, *ends, Action.ALLOW, services, tier, sides=frozenset({side}))

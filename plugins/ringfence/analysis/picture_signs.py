"""The flows of a picture judged under one set of tables: the verdict and the sign of each."""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.analysis.picture_flows import PictureFlows, Service
from ringfence.analysis.signs import sign
from ringfence.analysis.simulate_classes import EndClasses, ServiceClasses
from ringfence.analysis.simulate_ends import End, Pairs, PlacedEnd, Places, Standing
from ringfence.analysis.simulate_groups import GONE, points
from ringfence.analysis.simulate_judge import Verdict, judge_any
from ringfence.flows.engine import DuckEngine
from ringfence.model.assets import Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.judging import SoFar, Told
from ringfence.model.picture import WORST_FIRST, Sign, SignCount
from ringfence.model.rules import Direction
from ringfence.model.tables import VerdictTable

_HELD, _INTERNET = 0, 1
_EVERY = "SELECT id, client, server, service, connections, NULL::INTEGER AS old FROM picture_flows WHERE NOT refused"
_HEEDS_EVERY = 2_000  # ends that are placed before somebody is asked whether to go on


@dataclass
class Verdicts:
    """Every distinct verdict of a picture with its sign, by number; None is that of flows of assets that are gone."""

    signs: list[Sign] = field(default_factory=lambda: [Sign.NOT_JUDGED])
    verdicts: list[Verdict | None] = field(default_factory=lambda: [None])
    _numbers: dict[tuple[Verdict, Sign], int] = field(default_factory=dict)

    def number(self, verdict: Verdict, *, unknown: bool) -> int:
        """Return the number of a verdict; `unknown` says that nothing is known of one of the ends."""
        sign = sign_of(verdict, unknown=unknown)
        number = self._numbers.get((verdict, sign))
        if number is None:
            number = self._numbers[verdict, sign] = len(self.signs)
            self.signs.append(sign)
            self.verdicts.append(verdict)
        return number

    def place(self, number: int) -> int:
        """Return the place of a verdict's sign in `WORST_FIRST`."""
        return WORST_FIRST.index(self.signs[number])

    def passes(self, number: int) -> bool:
        """Return whether what has a verdict passes, as far as that is known."""
        verdict = self.verdicts[number]
        return verdict is None or verdict.allowed

    def put(self, engine: DuckEngine) -> None:
        """Make the table `picture_verdicts` of the numbers with their sign's place in `WORST_FIRST`."""
        places = [self.place(number) for number in range(len(self.signs))]
        kinds = {"number": "INTEGER", "sign": "UTINYINT"}
        engine.put("picture_verdicts", kinds, [list(range(len(places))), places])


def sign_of(verdict: Verdict, *, unknown: bool = False) -> Sign:
    """Return the sign of a verdict.

    What depends on something that was not seen is not judged.
    """
    if verdict.depends:
        return Sign.NOT_JUDGED
    rules = [outcome.rule for outcome in verdict.draft if outcome is not None]
    return sign(allowed=verdict.allowed, watched=verdict.watched, rules=rules, unknown=unknown)


def standing_of(snapshot: Snapshot) -> Standing:
    """Return who holds the addresses of a picture's flows."""
    return Standing(snapshot, dict.fromkeys(snapshot.named(), _HELD))


class Placer:
    """Places the ends of a picture's flows under one set of tables; who is no asset is unknown or of the internet."""

    def __init__(self, standing: Standing, tables: Mapping[str, VerdictTable], private: IntervalSet) -> None:
        self._private = private
        self._places = Places(standing, tables, None)

    def place(self, end: End, direction: Direction) -> PlacedEnd | None:
        """Return where an end stands; None if the asset that held its address then is gone."""
        placed = self._places.place(end, direction)
        if placed is not None and placed.asset is None and placed.point not in self._private:
            return placed._replace(label=_INTERNET)
        return placed


def judge(
    flows: PictureFlows,
    placer: Placer,
    verdicts: Verdicts,
    state: str,
    chosen: str = "",
    told: Told | None = None,
    change: int | None = None,
) -> int:
    """Judge flows and keep the number of each verdict in the column `state` of `picture_flows`; return how many.

    `chosen` is a query as `touched` makes it; without one all are judged that were not refused. Of chosen flows those
    that pass so far come first, the most connections first. `told` hears how many of how many groups are judged. With
    the number of a `change`, the ends of chosen flows whose verdict is another one are added to `picture_changes`.
    """
    engine = DuckEngine(flows.connection)
    if chosen:
        engine.keep("picture_touched", chosen)
    engine.view("picture_chosen", "SELECT * FROM picture_touched" if chosen else _EVERY)
    sides = {"client": (flows.clients, Direction.OUT), "server": (flows.servers, Direction.IN)}
    placed = {
        side: dict(_placed(placer, ends, direction, _numbers(engine, side, chosen, len(ends)), told))
        for side, (ends, direction) in sides.items()
    }
    every = [end for of_side in placed.values() for end in of_side.values() if end is not None]
    classes, services = EndClasses(every), ServiceClasses(every)
    holders: dict[str, int] = {}
    for side, (_, direction) in sides.items():
        _put_side(engine, side, placed[side], classes, holders, direction)
    members = _put_services(engine, flows.services, _numbers(engine, "service", chosen, len(flows.services)), services)
    _judge_groups(engine, classes.members, members, verdicts, told)
    grouped = (
        f"SELECT f.id, coalesce(g.verdict, 0) AS verdict FROM {_JOINED} LEFT JOIN picture_judged AS g"
        f" ON g.c = c.class AND g.s = s.class AND g.v = v.class AND g.itself = {_ITSELF}"
    )
    engine.keep("picture_result", grouped)
    ((count,),) = engine.rows("SELECT count(*) FROM picture_result")
    if chosen:
        if change is not None:
            flows.connection.execute(
                f"INSERT INTO picture_changes SELECT DISTINCT {change}, f.client, f.server FROM picture_result AS r"
                f" JOIN picture_flows AS f ON f.id = r.id WHERE f.{state} IS DISTINCT FROM r.verdict"
            )
        flows.connection.execute(
            f"UPDATE picture_flows SET {state} = r.verdict FROM picture_result AS r WHERE picture_flows.id = r.id"
        )
    else:
        engine.keep("picture_flows", _with_column(flows, state))
    verdicts.put(engine)
    return int(str(count))


_JOINED = (
    "picture_chosen AS f JOIN picture_client_class AS c ON c.number = f.client"
    " JOIN picture_server_class AS s ON s.number = f.server JOIN picture_service_class AS v ON v.number = f.service"
)
_ITSELF = "coalesce(c.holder = s.holder, false)"


def _with_column(flows: PictureFlows, state: str) -> str:
    columns = [str(row[0]) for row in flows.connection.execute("DESCRIBE picture_flows").fetchall()]
    kept = ", ".join(f"f.{name}" for name in columns if name != state)
    return f"SELECT {kept}, r.verdict AS {state} FROM picture_flows AS f LEFT JOIN picture_result AS r ON r.id = f.id"


def _numbers(engine: DuckEngine, column: str, chosen: str, every: int) -> Iterable[int]:
    if not chosen:
        return range(every)
    return [int(str(number)) for (number,) in engine.rows(f"SELECT DISTINCT {column} FROM picture_chosen ORDER BY 1")]


def _put_side(
    engine: DuckEngine,
    side: str,
    placed: Mapping[int, PlacedEnd | None],
    classes: EndClasses,
    holders: dict[str, int],
    direction: Direction,
) -> None:
    numbers = [GONE if end is None else classes.number(end, direction) for end in placed.values()]
    held = [
        None if end is None or end.asset is None else holders.setdefault(end.asset, len(holders))
        for end in placed.values()
    ]
    kinds = {"number": "INTEGER", "class": "INTEGER", "holder": "INTEGER"}
    engine.put(f"picture_{side}_class", kinds, [list(placed), numbers, held])


def _put_services(
    engine: DuckEngine, every: Sequence[Service], numbers: Iterable[int], classes: ServiceClasses
) -> dict[int, Service]:
    """Make the table of services with their classes; return one service of each class."""
    chosen = list(numbers)
    of_service = [classes.number(*every[number]) for number in chosen]
    engine.put("picture_service_class", {"number": "INTEGER", "class": "INTEGER"}, [chosen, of_service])
    return dict(zip(of_service, (every[number] for number in chosen), strict=True))


def _placed(
    placer: Placer, ends: Sequence[End], direction: Direction, numbers: Iterable[int], told: Told | None
) -> Iterator[tuple[int, PlacedEnd | None]]:
    for place, number in enumerate(numbers):
        if told is not None and not place % _HEEDS_EVERY:
            told(0, 0)
        yield number, placer.place(ends[number], direction)


def _judge_groups(
    engine: DuckEngine,
    members: Sequence[PlacedEnd],
    services: Mapping[int, Service],
    verdicts: Verdicts,
    told: Told | None,
) -> None:
    """Make the table of the verdicts of all groups: classes of both ends and of the service."""
    passing = [str(number) for number in range(len(verdicts.verdicts)) if verdicts.passes(number)]
    passes = f"old IN ({', '.join(passing)})"
    query = (
        f"WITH g AS (SELECT c.class AS c, s.class AS s, {_ITSELF} AS itself, v.class AS v, f.old, count(*) AS flows,"
        f" sum(f.connections)::BIGINT AS connections FROM {_JOINED}"
        f" WHERE c.class <> {GONE} AND s.class <> {GONE} GROUP BY ALL)"
        f" SELECT * FROM g ORDER BY sum(CASE WHEN {passes} THEN connections ELSE 0 END)"
        " OVER (PARTITION BY c, s, itself) DESC, c, s, itself, v, old"
    )
    rows = engine.rows(query)
    pairs, known = Pairs(compared=False), dict[tuple[int, bool, int], int]()
    ends, pair, unknown = None, None, False
    found: dict[tuple[object, ...], int] = {}
    denied = allowed = SignCount()
    for place, (client, server, itself, service, old, flows, connections) in enumerate(rows):
        if ends != (client, server, itself) or pair is None:
            ends = (client, server, itself)
            one, other = members[int(str(client))], members[int(str(server))]
            pair = pairs.between(one, other, itself=bool(itself))
            unknown = one.label is None or other.label is None
            if told is not None:
                told(place, len(rows), SoFar(denied, allowed))
        key = (id(pair), unknown, int(str(service)))
        number = known.get(key)
        if number is None:
            verdict = judge_any(pair, points(*services[key[2]]))
            number = known[key] = verdicts.number(verdict, unknown=unknown)
        found[client, server, itself, service] = number
        if old is not None and verdicts.passes(number) != verdicts.passes(int(str(old))):
            count = SignCount(int(str(flows)), int(str(connections)))
            if verdicts.passes(number):
                allowed += count
            else:
                denied += count
    columns = [list(column) for column in zip(*found, strict=True)] if found else [[], [], [], []]
    kinds = {"c": "INTEGER", "s": "INTEGER", "itself": "BOOLEAN", "v": "INTEGER", "verdict": "INTEGER"}
    engine.put("picture_judged", kinds, [*columns, list(found.values())])

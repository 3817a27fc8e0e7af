"""Directions that were guessed, decided by all flows of a window: which of two ends with the same port is the server.

NTP between port 123 and port 123 tells nothing of who asks whom where both records begin within one second. What tells
are, the strongest first: flows of the same pair, or of one of its ends, whose direction on this port is known
(`known`); and how many peers each end has on it: a server has more than its clients (`peers`). What stays equal stays
a guess.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from ringfence.flows.columns import COLUMNS
from ringfence.flows.connections import service_port
from ringfence.flows.distinct import KEY
from ringfence.flows.engine import Engine
from ringfence.flows.possible import WITH_PORTS
from ringfence.flows.reasons import GUESS, KNOWN, PEERS
from ringfence.model.flows import REFUSED

# A guess on a service's port: the other end's port is a service's too, or it would be no guess. So it is the same.
_SAME_PORT = (
    f"direction_by = '{GUESS}' AND protocol IN ({', '.join(map(str, sorted(WITH_PORTS)))}) AND ({service_port('port')})"
)
_PAIR = ("client", "client_asset", "server", "server_asset", "protocol", "port")
# An address has no blank in it, so an end is one text, with or without an asset.
_ENDS = ", ".join(f"{side} || ' ' || coalesce({side}_asset, '') AS {side}_end" for side in ("client", "server"))


def decide(engine: Engine) -> bool:
    """Make the view `observations` of `observed`; return whether the direction of any of them was guessed."""
    guessed = engine.rows(f"SELECT client FROM observed WHERE direction_by = '{GUESS}' LIMIT 1")
    every = ", ".join(COLUMNS)
    services: list[tuple[object, ...]] = []
    if guessed:
        engine.keep("guessed_pairs", f"SELECT DISTINCT {', '.join(_PAIR)}, {_ENDS} FROM observed WHERE {_SAME_PORT}")
        services = engine.rows("SELECT DISTINCT protocol, port FROM guessed_pairs ORDER BY protocol, port")
    if not services:
        engine.view("observations", f"SELECT {every} FROM observed")
        return bool(guessed)
    _gather(engine, services)
    engine.keep("decided_pairs", _DECIDED)
    same = " AND ".join(
        f"o.{name} {'IS NOT DISTINCT FROM' if name.endswith('_asset') else '='} d.{name}" for name in _PAIR
    )
    turned = ", ".join(_turned(name) for name in COLUMNS)
    engine.view(
        "observations",
        f"SELECT {every} FROM observed WHERE NOT coalesce({_SAME_PORT}, false) UNION ALL"
        f" SELECT {turned} FROM (SELECT * FROM observed WHERE {_SAME_PORT}) AS o"
        f" LEFT JOIN decided_pairs AS d ON {same}",
    )
    return True


def guesses(engine: Engine) -> int:
    """Return how many distinct flows of `observations` have a direction that nothing but a guess tells."""
    key = ", ".join(KEY)
    # most flows are no guesses: those that are at least one are looked up, not all grouped
    some = f"SELECT DISTINCT {key} FROM observations WHERE direction_by = '{GUESS}'"
    same = " AND ".join(
        f"o.{name} {'=' if name in ('client', 'server', 'protocol', 'outcome') else 'IS NOT DISTINCT FROM'} g.{name}"
        for name in KEY
    )
    told = (
        f"SELECT DISTINCT {', '.join(f'g.{name}' for name in KEY)} FROM (SELECT {key} FROM observations"
        f" WHERE direction_by IS NULL OR direction_by <> '{GUESS}') AS o JOIN ({some}) AS g ON {same}"
    )
    ((every,),) = engine.rows(f"SELECT count(*) AS flows FROM ({some}) AS guessed")
    ((known,),) = engine.rows(f"SELECT count(*) AS flows FROM ({told}) AS told")
    return int(str(every)) - int(str(known))


def _gather(engine: Engine, services: list[tuple[object, ...]]) -> None:
    """Make the tables of known directions on the services of guesses, and of what each end has on each of them."""
    ports = ", ".join(sorted({str(port) for _, port in services}))
    protocols = ", ".join(sorted({str(protocol) for protocol, _ in services}))
    engine.keep(
        "known_directions",
        f"SELECT DISTINCT protocol, port, {_ENDS} FROM observed WHERE port IN ({ports})"
        f" AND protocol IN ({protocols}) AND (direction_by IS NULL OR direction_by <> '{GUESS}')"
        f" AND outcome <> '{REFUSED}'",
    )
    engine.keep(
        "ends_of_ports",
        "SELECT protocol, port, one, count(DISTINCT other) AS peers, max(serves) AS serves FROM ("
        "SELECT protocol, port, server_end AS one, client_end AS other, 1 AS serves FROM known_directions"
        " UNION ALL SELECT protocol, port, server_end, client_end, 0 FROM guessed_pairs"
        " UNION ALL SELECT protocol, port, client_end, server_end, 0 FROM guessed_pairs"
        ") AS talks GROUP BY protocol, port, one",
    )


_ON = "{0}.protocol = g.protocol AND {0}.port = g.port"
# a vote is 1 for the direction as it is, -1 for the other one
_DECIDED = f"""
SELECT {", ".join(_PAIR)}, CASE WHEN pair <> 0 THEN pair WHEN ends <> 0 THEN ends ELSE peers END AS onward,
    CASE WHEN pair <> 0 OR ends <> 0 THEN '{KNOWN}' ELSE '{PEERS}' END AS reason
FROM (
    SELECT {", ".join(f"g.{name}" for name in _PAIR)},
        CASE WHEN f.port IS NULL THEN 0 ELSE 1 END - CASE WHEN b.port IS NULL THEN 0 ELSE 1 END AS pair,
        s.serves - c.serves AS ends, s.peers - c.peers AS peers
    FROM guessed_pairs AS g
    JOIN ends_of_ports AS c ON {_ON.format("c")} AND c.one = g.client_end
    JOIN ends_of_ports AS s ON {_ON.format("s")} AND s.one = g.server_end
    LEFT JOIN known_directions AS f ON {_ON.format("f")} AND f.client_end = g.client_end
        AND f.server_end = g.server_end
    LEFT JOIN known_directions AS b ON {_ON.format("b")} AND b.client_end = g.server_end
        AND b.server_end = g.client_end
) AS votes
WHERE pair <> 0 OR ends <> 0 OR peers <> 0"""


def _turned(name: str) -> str:
    """Return the SQL of a column of a guess as it was decided."""
    if name == "direction_by":
        return "coalesce(d.reason, o.direction_by) AS direction_by"
    side, _, rest = name.partition("_")
    if side not in ("client", "server"):
        return f"o.{name} AS {name}"
    other = "_".join(filter(None, ("server" if side == "client" else "client", rest)))
    return f"CASE WHEN d.onward < 0 THEN o.{other} ELSE o.{name} END AS {name}"

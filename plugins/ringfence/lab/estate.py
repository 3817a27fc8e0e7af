"""The demo estate: a shop in two environments, its services and their steady traffic, some of it wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.lab.spec import HostSpec, Talk, UnitSpec

WEB = "tcp/443"
API = "tcp/8443"
PAYMENTS = "tcp/9443"
DATABASE = "tcp/5432"
CACHE = "tcp/6379"
METRICS = "tcp/9100"
NAMES = "udp/53"
SSH = "tcp/22"

_SHOP_PROD = {"app": "shop", "env": "prod", "loc": "dc1"}
_SHOP_DEV = {"app": "shop", "env": "dev", "loc": "dc2"}
_OPS = {"app": "ops", "env": "prod", "loc": "dc1"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Traffic of the estate that no sound policy would allow, and how it came to be."""

    source: str
    target: str
    port: str
    why: str


WRONG = (
    Wrong("dev-api-1", "db-1", DATABASE, "the development API was pointed at the production database and left there"),
    Wrong("web-2", "db-1", DATABASE, "a report that once was urgent reads the database from a web server"),
)


def shop(*, mixed: bool = False) -> list[HostSpec]:
    """Return the twelve hosts of the estate, on Debian 12; `mixed` puts some of them on Debian 11 and 13."""
    prod = [
        _host("web-1", _SHOP_PROD, "web", _web("api-1")),
        _host("web-2", _SHOP_PROD, "web", _web("api-1"), _report()),
        _host("api-1", _SHOP_PROD, "api", _api(databases=("db-1",), cache="cache-1", payments="pay-1")),
        _host("worker-1", _SHOP_PROD, "worker", _worker()),
        _host("pay-1", {**_SHOP_PROD, "pci": "true"}, "payment", _listening("shop-payments", PAYMENTS)),
        _host("db-1", _SHOP_PROD, "db", _listening("postgresql", DATABASE, "postgres")),
        _host(
            "cache-1",
            _SHOP_PROD,
            "cache",
            _listening("redis-server", CACHE, "redis"),
            release="bullseye" if mixed else "bookworm",
        ),
    ]
    dev = [
        _host("dev-web-1", _SHOP_DEV, "web", _web("dev-api-1")),
        _host("dev-api-1", _SHOP_DEV, "api", _api(databases=("dev-db-1", "db-1"))),
        _host("dev-db-1", _SHOP_DEV, "db", _listening("postgresql", DATABASE, "postgres")),
    ]
    bastion = _host("bastion-1", _OPS, "bastion", release="trixie" if mixed else "bookworm")
    watched = [host.name for host in (*prod, *dev, bastion)]
    monitoring = _host(
        "monitor-1", _OPS, "monitoring", _prometheus(watched), _resolver(), release="trixie" if mixed else "bookworm"
    )
    return [*prod, *dev, _with_sessions(bastion, watched[:-1]), monitoring]


def _host(name: str, labels: Mapping[str, str], role: str, *units: UnitSpec, release: str = "bookworm") -> HostSpec:
    own = (*units, _listening("node-exporter", METRICS))
    return HostSpec(name, release=release, labels={**labels, "role": role}, units=own)


def _listening(service: str, port: str, user: str | None = None) -> UnitSpec:
    return UnitSpec(f"{service}.service", listens=(port,), user=user or service)


def _web(api: str) -> UnitSpec:
    talks = (Talk(api, API, 2), Talk("monitor-1", NAMES, 5))
    return UnitSpec("shop-web.service", listens=(WEB,), talks=talks, user="shop-web")


def _api(databases: tuple[str, ...], cache: str | None = None, payments: str | None = None) -> UnitSpec:
    talks = [Talk(database, DATABASE, 2) for database in databases]
    if cache is not None:
        talks.append(Talk(cache, CACHE, 1))
    if payments is not None:
        talks.append(Talk(payments, PAYMENTS, 5))
    return UnitSpec("shop-api.service", listens=(API,), talks=(*talks, Talk("monitor-1", NAMES, 5)), user="shop-api")


def _worker() -> UnitSpec:
    return UnitSpec(
        "shop-worker.service", talks=(Talk("db-1", DATABASE, 3), Talk("cache-1", CACHE, 3)), user="shop-api"
    )


def _report() -> UnitSpec:
    return UnitSpec("shop-report.service", talks=(Talk("db-1", DATABASE, 4),), user="shop-web")


def _prometheus(watched: list[str]) -> UnitSpec:
    talks = tuple(Talk(name, METRICS, 5) for name in watched)
    return UnitSpec("prometheus.service", listens=("tcp/9090",), talks=talks, user="prometheus")


def _resolver() -> UnitSpec:
    return UnitSpec("unbound.service", listens=(NAMES, "tcp/53"), user="unbound")


def _with_sessions(bastion: HostSpec, targets: list[str]) -> HostSpec:
    """People work from the bastion: it greets the sshd of every other host now and then."""
    sessions = UnitSpec("admin-sessions.service", talks=tuple(Talk(name, SSH, 20) for name in targets), user="admin")
    return HostSpec(bastion.name, bastion.release, labels=bastion.labels, units=(*bastion.units, sessions))

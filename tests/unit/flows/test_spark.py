"""DuckDB and a Spark cluster of two workers answer alike, and what Spark lacks is said with its way out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from ringfence.analysis.simulate import Simulation, simulate
from ringfence.flows import spark
from ringfence.flows.engine import engine_of
from ringfence.flows.spark import SparkEngine
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.errors import OutsideError

from tests.unit.flows import flow_factory as factory
from tests.unit.flows.test_simulate import CLOSED_DB, DB, ESTATE, OUTSIDE, WEB, unit_table

LACKS = [name for name in ("pyspark", "ibis", "pyarrow", "pandas") if find_spec(name) is None]
LACKS += [] if shutil.which("java") else ["java"]
# the parent of all workers is one Java machine; small plans are quicker without code made for them
CLUSTER = "local-cluster[2,1,1024]"
QUICK = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
PLAIN = [
    factory.flow(WEB, DB, 5432, connections=3, source="a"),
    factory.flow(WEB, DB, 5432, connections=2, source="b", at=factory.NOON + timedelta(days=1)),
    factory.flow(WEB, DB, 22, bytes=2**60),
    factory.flow(OUTSIDE, DB, 5432, outcome="refused"),
    factory.flow(OUTSIDE, DB, 80),
    factory.flow(DB, DB, 443),
    factory.flow(WEB, OUTSIDE),
    factory.flow("fd00::1", "2001:db8::1", None, 58),  # type: ignore[arg-type] # a type that nobody said
    factory.flow(WEB, DB, 80, at=factory.NOON - timedelta(days=9)),
]
NAMED = [
    *PLAIN,
    *(factory.flow(one, other, 123, 17, direction_by="guess") for one, other in ((DB, WEB), (DB, OUTSIDE))),
    factory.flow("10.9.9.1", "10.9.9.2", 123, 17, direction_by="guess"),
    factory.flow(WEB, DB, 22, at=factory.NOON + timedelta(hours=1), direction_by="port"),
    factory.flow(WEB, DB, 1, client_unit="api.service", source="hosts:web-1"),
    factory.flow(WEB, DB, 1, server_unit="db.service", source="hosts:db-1"),
    factory.flow(WEB, DB, 2, client_unit="cron.service", client_user="app", source="hosts:web-1"),
    factory.flow(WEB, DB, 2, client_unit="a.service", source="hosts:web-1"),
    factory.flow(WEB, DB, 2, server_process="nc", source="hosts:db-1"),
]


def answers(window: FlowWindow, *, every: bool) -> Iterator[object]:
    simulation: Simulation = simulate({"db-1": CLOSED_DB, "web-1": unit_table()}, ESTATE, window)
    yield window.totals()
    yield simulation.data()
    yield [flow.data() for flow in simulation.flows()]
    if not every:
        return
    yield [flow.data() for flow in simulation.flows(labels=simulation.by_labels[0], limit=1)]
    yield simulation.refusals(1)
    yield simulation.evidence()
    yield window.by_labels(ESTATE, ("role",))
    yield list(simulation.judged.to_no_asset(range(len(simulation.judged.verdicts))))


@pytest.mark.skipif(bool(LACKS), reason=f"needs {', '.join(LACKS)}")
@pytest.mark.parametrize("named", [False, True], ids=["without processes", "with processes"])
def test_a_cluster_of_two_workers_answers_as_duckdb_does(named: bool, tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add(NAMED if named else PLAIN, [ESTATE])
    since, latest = factory.NOON - timedelta(days=1), factory.NOON + timedelta(days=9)
    with store.window(since, None, latest) as here, store.window(
        since, None, latest, SparkEngine(CLUSTER, QUICK)
    ) as there:  # fmt: skip
        for one, other in zip(answers(here, every=named), answers(there, every=named), strict=True):
            assert one == other


def test_what_spark_needs_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    with pytest.raises(OutsideError, match=r"needs Java, and '/nonexistent/bin/java' is not there .*openjdk-17"):
        engine_of("spark://127.0.0.1:1")


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        ({}, "needs pyspark, which is not installed (pip install 'ringfence[spark]')"),
        ({"pyspark": "4.3.0", "ibis-framework": "12.0.0", "pyarrow": "20.0", "pandas": "3.0.1"}, "pandas below 3"),
    ],
)
def test_packages_that_lack_or_do_not_fit_are_named(
    installed: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise spark.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(spark, "_need_java", lambda: None)
    monkeypatch.setattr(spark, "version", version)
    with pytest.raises(OutsideError) as raised:
        engine_of("spark://127.0.0.1:1")
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Application has been killed. Reason: All masters are unresponsive!", "does not accept PySpark 4.3.0"),
        ("java.io.InvalidClassException: local class incompatible: serialVersionUID", "the cluster's version"),
        ("[PATH_NOT_FOUND] Path does not exist: file:/x.parquet", "under the same path"),
        ("org.apache.spark.SparkArithmeticException: [ARITHMETIC_OVERFLOW] long overflow", "more than Spark can add"),
        ("Job aborted\n  at org…", "Spark at spark://m:7077 failed: Job aborted"),
    ],
)
def test_what_spark_says_is_said_in_words(text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "version", lambda name: "4.3.0")
    with pytest.raises(OutsideError) as raised, spark._failing("spark://m:7077"):
        raise RuntimeError(text)
    assert says in str(raised.value)


def test_a_master_that_is_not_there_is_named() -> None:
    with pytest.raises(OutsideError, match=r"no Spark master responds at spark://127\.0\.0\.1:1"):
        spark._need_master("spark://127.0.0.1:1")

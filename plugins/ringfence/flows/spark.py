"""Heavy questions to flows, computed by a Spark cluster: each becomes an Ibis expression that Ibis translates.

Ibis, PySpark and the Java machine are an extra: nothing here is imported before a workspace names a cluster.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from ringfence.flows.columns import COLUMNS
from ringfence.flows.engine import FETCH, Row
from ringfence.model.errors import OutsideError
from ringfence.model.flows import ANSWERED

EXTRA = "pip install 'ringfence[spark]'"
MASTER = re.compile(r"spark://([^,/\s]+:\d{1,5})(,[^,/\s]+:\d{1,5})*")
JAVA = 17  # what Spark 4 needs
SECONDS = 5
SPARK_TYPES = {"VARCHAR": "string", "BIGINT": "bigint", "USMALLINT": "int", "UTINYINT": "smallint"}
CONFIGURATION = {
    "spark.app.name": "ringfence",
    "spark.log.level": "ERROR",
    # flows are kept in UTC; a sum beyond 64 bits is an error, not a negative number
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class SparkEngine:
    """A cluster; its workers must see the store's files under the same path."""

    def __init__(self, master: str, configuration: Mapping[str, str] | None = None) -> None:
        """Take part in a cluster; raises OutsideError where what that needs is missing or the master is not there."""
        self.master = master
        # views of its own in a session of its own
        self._session = _context(master, tuple((configuration or {}).items())).newSession()
        with _failing(master):
            import ibis

            self._ibis = ibis.pyspark.connect(self._session)
        self._kept: dict[str, Any] = {}

    def files(self, name: str, paths: Sequence[Path]) -> None:
        """Give the flows of Parquet files a name."""
        with _failing(self.master):
            from pyspark.sql import functions

            found = self._session.read.option("mergeSchema", "true").parquet(
                *(path.resolve().as_uri() for path in paths)
            )
            chosen = [
                functions.col(column)
                if column in found.columns
                else functions.lit(None).cast(SPARK_TYPES[kind]).alias(column)
                for column, kind in COLUMNS.items()
            ]
            whole = found.select(*chosen).fillna({"outcome": ANSWERED})
            whole.createOrReplaceTempView(name)

    def rows(self, query: str) -> list[Row]:
        """Return all rows of a query."""
        return [row for rows in self.batches(query) for row in rows]

    def batches(self, query: str) -> Iterator[list[Row]]:
        """Yield the rows of a query in lists, in its order."""
        with _failing(self.master):
            # not by Ibis, which goes through pandas and makes floats of numbers beside null
            for batch in self._frame(query).toArrow().to_batches(FETCH):
                yield list(zip(*map(_values, batch.columns), strict=True))

    def keep(self, name: str, query: str) -> None:
        """Make a table of a query's rows, in place of one of that name; the cluster holds it."""
        with _failing(self.master):
            table = self._frame(query).persist()
            table.createOrReplaceTempView(name)
            self._forget(name)
            self._kept[name] = table

    def view(self, name: str, query: str) -> None:
        """Give a query a name, in place of what has it."""
        with _failing(self.master):
            self._frame(query).createOrReplaceTempView(name)

    def put(self, name: str, kinds: Mapping[str, str], columns: Sequence[Sequence[object]]) -> None:
        """Make a table of columns that are there in Python."""
        with _failing(self.master):
            import pyarrow as pa

            types = {
                "VARCHAR": pa.string(),
                "BOOLEAN": pa.bool_(),
                "UTINYINT": pa.int16(),
                "USMALLINT": pa.int32(),
                "INTEGER": pa.int32(),
                "BIGINT": pa.int64(),
                "HUGEINT": pa.decimal128(38),
            }
            arrays = [pa.array(column, types[kind]) for column, kind in zip(columns, kinds.values(), strict=True)]
            self._session.createDataFrame(pa.table(arrays, names=list(kinds))).createOrReplaceTempView(name)

    def close(self) -> None:
        """Have the cluster forget the tables that it holds."""
        with _failing(self.master):
            for name in list(self._kept):
                self._forget(name)

    def _frame(self, query: str) -> Any:
        return self._session.sql(self._ibis.compile(self._expression(query)))

    def _expression(self, query: str) -> Any:
        # a hint to DuckDB's planner that Spark has no word for
        return self._ibis.sql(query.replace(" AS MATERIALIZED (", " AS ("), dialect="duckdb")

    def _forget(self, name: str) -> None:
        table = self._kept.pop(name, None)
        if table is not None:
            table.unpersist()


def _values(column: Any) -> list[object]:
    """Return the values of an Arrow column; a sum, which Spark has as a decimal number, as int."""
    values: list[object] = column.to_pylist()
    return [int(one) if isinstance(one, Decimal) else one for one in values]


@cache
def _context(master: str, configuration: tuple[tuple[str, str], ...]) -> Any:
    """Return the session of a cluster, one for the whole process: it starts a Java machine and reserves workers."""
    _need_java()
    _need_packages()
    _need_master(master)
    with _quiet() as said, _failing(master, said):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(master)
        for key, value in {**CONFIGURATION, **dict(configuration)}.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        atexit.register(session.stop)
        return session


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin/java") if home else "java"
    remedy = f"install Java {JAVA} or newer (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME"
    if shutil.which(java) is None:
        raise OutsideError(f"Spark needs Java, and '{java}' is not there", remedy=remedy)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    if found and int(found[1]) < JAVA:
        raise OutsideError(f"Spark needs Java {JAVA} or newer, and '{java}' is Java {found[1]}", remedy=remedy)


def _need_packages() -> None:
    for package in ("pyspark", "ibis-framework", "pyarrow", "pandas"):
        try:
            found = version(package)
        except PackageNotFoundError as error:
            raise OutsideError(f"Spark needs {package}, which is not installed", remedy=EXTRA) from error
        if package == "pandas" and int(found.split(".")[0]) >= 3:
            raise OutsideError(f"PySpark needs pandas below 3, and {found} is installed", remedy=EXTRA)


def _need_master(master: str) -> None:
    """Raise OutsideError where no master accepts a connection: Spark itself would try for a minute and end the JVM."""
    if not MASTER.fullmatch(master):
        return
    why = ""
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
            return
        except OSError as error:
            why = error.strerror or str(error)
    raise OutsideError(
        f"no Spark master responds at {master}: {why}",
        remedy="start it, or leave 'engine' out of 'flows' in ringfence.yml: DuckDB then judges on this machine",
    )


@contextmanager
def _failing(master: str, said: Any = None) -> Iterator[None]:
    """Turn what Spark, Ibis or Java say into an OutsideError."""
    try:
        yield
    except OutsideError:
        raise
    except Exception as error:
        text = str(error)
        if said is not None:
            said.seek(0)
            text += said.read().decode(errors="replace")
        message, remedy = _meaning(text, master)
        raise OutsideError(message, remedy=remedy) from error


def _meaning(text: str, master: str) -> tuple[str, str]:
    """Return what an error of Spark means and what to do about it."""
    if re.search(
        r"All masters are unresponsive|AppClient|InvalidClassException|serialVersionUID|StandaloneSchedulerBackend",
        text,
    ):
        return (
            f"the Spark master at {master} does not accept PySpark {version('pyspark')}",
            "install the PySpark of the cluster's version (the first two numbers must be equal); look at its log",
        )
    if re.search(r"PATH_NOT_FOUND|FileNotFoundException|FILE_NOT_EXIST|does not exist", text):
        return (
            f"the workers of {master} do not see the store's files",
            "put the workspace's .ringfence/flows on a file system that they mount under the same path",
        )
    if "ARITHMETIC_OVERFLOW" in text:
        return "the connections of one flow are more than Spark can add up", "look at the counts of the flows' source"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith(("An error occurred", "{"))), "no reason given")
    return f"Spark at {master} failed: {first[:300]}", "look at the log of the application 'ringfence' on the cluster"


@contextmanager
def _quiet() -> Iterator[Any]:
    """Keep what a Java machine that starts here says off the terminal; give the file that holds it."""
    sys.stderr.flush()
    before = os.dup(2)
    with TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(before, 2)
            os.close(before)

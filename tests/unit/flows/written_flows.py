"""Flows written in the formats that the readers of CSV and JSON read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from ringfence.flows.records import FIELDS, record_of
from ringfence.model.flows import Flow


def write_csv(flows: Iterable[Flow], file: TextIO) -> int:
    """Write flows to a file opened with `newline=""` and return how many; `read_csv` gives the same flows back."""
    writer = csv.DictWriter(file, FIELDS)
    writer.writeheader()
    count = 0
    for count, flow in enumerate(flows, 1):  # noqa: B007 - the count of the last one is the answer
        writer.writerow({**record_of(flow), "attributes": flow.attributes})
    return count


def write_json(flows: Iterable[Flow], file: TextIO) -> int:
    """Write flows as JSON lines and return how many; `read_json` gives the same flows back."""
    count = 0
    for count, flow in enumerate(flows, 1):  # noqa: B007 - the count of the last one is the answer
        file.write(json.dumps(record_of(flow), ensure_ascii=False) + "\n")
    return count

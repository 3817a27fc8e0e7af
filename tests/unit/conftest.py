"""Fixtures of all unit tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.unit.inventory_answers import answers_shared


@pytest.fixture(autouse=True, scope="module")
def asked_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ansible is asked once in a process for equal inventories of plain data; the tests of sources ask it each time."""
    if request.path.parent.name == "sources":
        yield
        return
    with answers_shared():
        yield


@pytest.fixture(autouse=True, scope="session")
def unhurried_disk() -> Iterator[None]:
    """Nothing waits until its bytes are on the disk: no test cuts the power, and together they write thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which still wants an open file
        yield

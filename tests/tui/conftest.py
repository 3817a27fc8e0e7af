"""Fixtures of the application's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.inventory_answers import answers_shared


@pytest.fixture(autouse=True, scope="module")
def asked_once() -> Iterator[None]:
    """What runs in this process asks Ansible once for equal inventories; each application on a terminal asks itself."""
    with answers_shared():
        yield

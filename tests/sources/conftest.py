"""What tests of several files ask: AWS as moto has it, behind a door that refuses, throttles and counts."""

from __future__ import annotations

import importlib.util

import pytest

from tests.aws_server import Door, MotoServer


@pytest.fixture(scope="session")
def moto():
    """moto's server. Skips without it."""
    for needed in ("boto3", "moto", "flask", "flask_cors"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed (pip install boto3 'moto[server]')")
    server = MotoServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def estate(moto):
    """Two regions of one account and one of another: what their parts are called."""
    from tests.sources.aws_estate import build_estate

    door = Door(moto.port)
    yield build_estate(door)
    door.close()


@pytest.fixture
def door(moto, estate):
    door = Door(moto.port)
    yield door
    door.close()

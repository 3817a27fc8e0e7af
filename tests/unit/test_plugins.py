"""Plug-ins by entry point: found by name, loaded when asked for, and named where they do not load."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
import ringfence.plugins
from ringfence.enforcers import Enforcer
from ringfence.enforcers.nftables import ENFORCER
from ringfence.model.errors import InputError
from ringfence.plugins import Registry

GROUP = "ringfence.enforcers"
MODULES = {"sour": "1 / 0\n", "garbled": "def (\n", "empty": "", "wrong": "ENFORCER = object()\n"}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry[Enforcer]:
    """Return a registry of one plug-in that loads and of five that do not."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}_plugin.py").write_text(text)
        monkeypatch.delitem(sys.modules, f"{name}_plugin", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name, f"{name}_plugin:ENFORCER", GROUP) for name in (*MODULES, "missing")]
    points += [EntryPoint("nftables", "ringfence.enforcers.nftables:ENFORCER", GROUP)] * 2
    points += [EntryPoint("twice", "empty_plugin:ENFORCER", GROUP), EntryPoint("twice", "wrong_plugin:ENFORCER", GROUP)]
    monkeypatch.setattr(ringfence.plugins, "entry_points", lambda **match: EntryPoints(points).select(**match))
    return Registry(GROUP, Enforcer, "enforcer", "much", {})


def test_a_plug_in_is_found_by_its_entry_point_and_loaded_alone(registry: Registry[Enforcer]) -> None:
    assert registry.get("nftables") is ENFORCER
    assert not {f"{name}_plugin" for name in MODULES} & sys.modules.keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", r"'missing' \(missing_plugin:ENFORCER\) cannot be loaded: ModuleNotFoundError: .*reinstall"),
        ("sour", r"'sour' \(sour_plugin:ENFORCER\) cannot be loaded: ZeroDivisionError: division by zero"),
        ("garbled", "'garbled' .* cannot be loaded: SyntaxError"),
        ("empty", "'empty' .* cannot be loaded: AttributeError"),
        ("wrong", r"'wrong_plugin:ENFORCER' is not a valid enforcer \(it needs much\)"),
        ("twice", "'twice' is there twice: 'empty_plugin:ENFORCER' and 'wrong_plugin:ENFORCER'"),
        ("nftable", r"no enforcer is called 'nftable' \(did you mean 'nftables'\? installed are: "),
    ],
)
def test_a_plug_in_that_does_not_load_is_named(registry: Registry[Enforcer], name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        registry.get(name)


def test_a_built_in_plug_in_needs_no_entry_point() -> None:
    registry: Registry[int] = Registry("ringfence.nothing", int, "number", "digits", {"one": 1})
    assert registry.get("one") == 1
    assert registry.names() == ("one",)

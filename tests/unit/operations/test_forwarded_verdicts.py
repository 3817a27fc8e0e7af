"""Answers about machines that only hosts on their way enforce for: they say what becomes of the packet."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.analysis.forwarding_hosts import NOBODY
from ringfence.estate import Estate
from ringfence.model.errors import InputErrors
from ringfence.model.problems import Severity
from ringfence.model.rules import Direction, Mode
from ringfence.model.tables import Effect
from ringfence.operations.check import check, refuse_errors
from ringfence.operations.explain import explain

from tests.unit.cli_shop import NOW, shop

HOSTS = """\
all:
  vars: {{ringfence_labels: {{app: shop, env: prod}}}}
  hosts:
    gw-1: {{ansible_host: 10.0.1.1, vm: {{role: first}}, ringfence_nftables: {{forwards: {first}}}}}
    gw-2: {{ansible_host: 10.0.1.2, vm: {{role: second}}, ringfence_nftables: {{forwards: {second}}}}}
    web-1: {{ansible_host: 10.0.1.4, vm: {{role: web}}}}
    cache-1:
      ringfence_enforcer: forwarded
      ringfence_addresses: [10.0.2.5, 10.0.3.5]
      vm: {{role: cache}}
"""
SETTINGS = "control: {from: [10.0.0.0/24], port: 22}\n"
MODES = """\
enforce:
  - {{where: {{role: first}}, mode: {first}}}
  - {{where: {{role: second}}, mode: {second}}}
  - {{where: any, mode: full}}
"""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def estate(tmp_path: Path, forwards: tuple[str, str], modes: tuple[str, str]) -> Estate:
    """Return a shop whose two routers are asked to judge and have modes."""
    given = {"first": forwards[0], "second": forwards[1]}
    files = {"inventory/hosts.yml": HOSTS.format(**given), "ringfence.yml": SETTINGS}
    files["policy/tests/shop.yml"] = "tests: []\n"
    files["policy/shop.yml"] = MODES.format(first=modes[0], second=modes[1])
    return Estate(shop(tmp_path, files))


CASES = (
    (("true", "false"), ("observe", "full"), "allow"),
    (("true", "false"), ("full", "observe"), "deny"),
    (("true", "true"), ("observe", "observe"), "allow"),
    # one of them cuts it where it is the one that forwards it
    (("true", "true"), ("observe", "full"), "deny"),
    (("false", "false"), ("full", "full"), "allow"),
    (("[10.0.4.0/24]", "false"), ("full", "full"), "allow"),
    # of two addresses one is among those that are judged
    (("[10.0.2.0/24]", "false"), ("full", "full"), "deny"),
    # what is not valid leaves the router out
    (("[]", "false"), ("full", "full"), "allow"),
    (("'yes'", "[10.0.2.0/24]"), ("full", "selective"), "deny"),
)


@pytest.mark.parametrize(("forwards", "modes", "verdict"), CASES)
def test_what_is_said_to_be_denied_is_cut_by_a_host_on_the_way(
    tmp_path: Path, forwards: tuple[str, str], modes: tuple[str, str], verdict: str
) -> None:
    made = estate(tmp_path, forwards, modes)
    # one question compiles its ends alone, the others every table: both say the same
    for _ in range(2):
        found = explain(made, "10.9.9.9", "10.0.2.5", "tcp/4711")
        assert found.verdict == verdict
        other = explain(made, "10.9.9.9", "10.0.3.5", "tcp/4711").verdict
        assert other == ("allow" if "10.0.2.0/24" in "".join(forwards) else verdict)
        made.compiled()
    table = made.compiled().tables.get("cache-1")
    passes = table is None or table.inbound.mode is Mode.OBSERVE
    assert passes == (verdict == "allow")
    if table is not None and passes:
        cells = table.direction(Direction.IN).cells
        assert Effect.DENY not in {piece[2].effect for cell in cells for piece in cell.services.pieces}


def test_what_is_not_valid_is_an_error_at_its_line_and_nothing_is_planned(tmp_path: Path) -> None:
    made = estate(tmp_path, ("[10.0.3.0/33, 10.0.2.0/24]", "maybe"), ("full", "full"))
    errors = [one for one in check(made).problems if one.severity is Severity.ERROR]
    assert [(str(one.place), one.message.partition(" has ")[0]) for one in errors] == [
        ("inventory/hosts.yml:4", "ringfence_nftables of gw-1"),
        ("inventory/hosts.yml:5", "ringfence_nftables of gw-2"),
    ]
    with pytest.raises(InputErrors, match="maybe"):
        refuse_errors(made)
    # an answer goes by what is valid
    assert explain(made, "web-1", "10.0.2.5", "tcp/80").verdict == "deny"


def test_check_names_each_once(tmp_path: Path) -> None:
    def said(made: Estate) -> list[str]:
        return [one.message for one in check(made).problems if "cache-1" in one.message]

    assert said(estate(tmp_path / "a", ("false", "false"), ("full", "full"))) == [
        f"nothing enforces on cache-1: {NOBODY}"
    ]
    assert said(estate(tmp_path / "b", ("true", "false"), ("observe", "full"))) == [
        "gw-1 only observes what it forwards: cache-1 is denied nothing there"
    ]

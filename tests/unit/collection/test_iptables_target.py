"""A target with iptables swaps both families, waits for its confirmation, comes back, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.iptables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, ProcessClass, ServiceMap, VerdictTable

from tests.examples import FULL
from tests.lone_target import LoneTarget
from tests.rollout_plans import Wanted
from tests.unit.enforcers.iptables_kernel import EMPTY, FAMILIES, VARIANTS, open_iptables

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
OLD = Wanted()
NEW = Wanted(allow={None: (1,)})
DENY = Outcome(Effect.DENY)
SHELLS = {"dash": ["dash", "-s"], "busybox": ["busybox", "sh", "-s"]}
# Each variant in a shell and each shell with a variant; RINGFENCE_EXAMPLES=full has them all.
PAIRS = product(VARIANTS, SHELLS) if FULL else zip(VARIANTS, SHELLS, strict=True)


@dataclass
class IptablesTarget(LoneTarget):
    """A target whose host has its own rules in one variant of iptables, or none at all."""

    enforcer: str = "iptables"
    variant: str = ""

    def in_kernel(self) -> str:
        """Return the digest of the plan whose rules both families have, empty for none."""
        found = {
            line.split()[0].removeprefix(":rf_plan_")
            for name in FAMILIES.values()
            for variant in VARIANTS
            for line in self.kernel.run(f"{name}-{variant}-save").splitlines()
            if line.startswith(":rf_plan_")
        }
        if len(found) > 1:
            return "one family has the new rules, the other the old ones"
        return self.words[found.pop()] if found else ""

    def drift(self, wanted: Wanted) -> list[object]:
        """Return how the listing of the host's status differs from a table."""
        listing = self.ask("status", {"listing": "1"})[1].sections["listing"]
        return [one["text"] for one in differences(wanted.table().data(), read_ruleset(listing))]

    def sets(self) -> set[str]:
        """Return the generations of our sets."""
        return {name.rpartition("_")[2] for name in self.kernel.run("ipset", "list", "-n").split()}


@pytest.fixture(params=PAIRS, ids="-".join)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IptablesTarget]:
    variant, shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    opened = open_iptables(variant)
    for family in FAMILIES:
        opened.run(family, "-A", "INPUT", "-p", "udp", "-m", "udp", "--dport", "9", "-j", "DROP")
    one = IptablesTarget(tmp_path, opened.kernel, SHELLS[shell], variant=variant)
    yield one
    one.ask("remove")
    opened.close()


def test_a_confirmed_plan_stands_in_the_variant_of_the_hosts_own_rules(target: IptablesTarget) -> None:
    plan = target.enforce(OLD)
    assert target.in_kernel() == plan.digest
    assert target.drift(OLD) == []
    status = target.ask("status", {"listing": "1"})[1]
    assert (status.all("stands"), status.last("pending"), status.all("damaged")) == (["confirmed"], "", [])
    assert read_ruleset(status.sections["listing"])["variant"] == target.variant
    assert status.last("iptables").startswith("1.")
    assert status.last("skbinfo") == "yes"
    assert (
        enforcement("iptables").features(status)["nft"] == enforcement("nftables").features(nft_status(target))["nft"]
    )


def nft_status(target: IptablesTarget) -> Reply:
    """Return what the part of nftables is told."""
    target.enforcer = "nftables"
    reply = target.ask("status")[1]
    target.enforcer = "iptables"
    return reply


def test_the_next_plan_takes_the_place_of_the_first_and_its_sets(target: IptablesTarget) -> None:
    target.enforce(OLD)
    plan = target.enforce(NEW)
    assert target.in_kernel() == plan.digest
    assert target.drift(NEW) == []
    assert target.drift(OLD) != []
    assert target.sets() == {"g1"}


def test_what_is_not_confirmed_goes_back_by_itself(target: IptablesTarget) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    assert target.apply(new).last("state") == "waiting"
    assert target.in_kernel() == new.digest
    target.goes_back_to(old.digest)
    assert target.drift(OLD) == []


def test_a_first_plan_that_is_not_confirmed_leaves_the_host_as_it_was(target: IptablesTarget) -> None:
    before = target.kernel.run(f"iptables-{target.variant}-save", "-t", "filter").splitlines()[1:-1]
    target.apply(target.plan(NEW))
    target.goes_back_to("")
    assert target.kernel.run(f"iptables-{target.variant}-save", "-t", "filter").splitlines()[1:-1] == before
    assert target.sets() == set()


def test_a_rollback_takes_a_waiting_plan_back_and_remove_takes_everything_out(target: IptablesTarget) -> None:
    old = target.enforce(OLD)
    target.apply(target.plan(NEW))
    assert target.ask("rollback")[1].last("state") == "restored"
    assert target.in_kernel() == old.digest
    assert target.ask("remove")[1].last("state") == "none"
    assert target.in_kernel() == ""
    assert target.sets() == set()
    assert not target.state.exists()


def test_another_enforcer_leaves_what_is_held_alone_and_says_whose_it_is(target: IptablesTarget) -> None:
    plan = target.enforce(OLD)
    target.enforcer = "nftables"
    for verb in ("confirm", "rollback", "refresh", "remove"):
        assert target.ask(verb)[1].last("refused") == "enforcer", verb
    assert "holds a table of iptables, not of nft: run 'ringfence remove' first" in target.ask("remove")[1].last(
        "reason"
    )
    assert target.ask("status")[1].last("holder") == "iptables"
    assert "this host holds a table of iptables, not of nft" in target.ask("status")[1].all("unknown")
    target.enforcer = "iptables"
    assert target.in_kernel() == plan.digest
    assert target.drift(OLD) == []
    assert target.ask("remove")[1].last("state") == "none"
    target.enforcer = "nftables"
    assert target.ask("status")[1].all("unknown") == []


def test_boot_loads_what_was_confirmed(target: IptablesTarget) -> None:
    plan = target.enforce(OLD)
    for variant in VARIANTS:
        for command in FAMILIES.values():
            target.kernel.run(f"{command}-{variant}-restore", text=EMPTY)
    target.kernel.run("ipset", "destroy")
    assert target.ask("status")[1].all("stands") == []
    assert target.ask("boot")[0] == 0
    assert target.in_kernel() == plan.digest
    assert target.drift(OLD) == []


def test_a_family_that_does_not_take_its_rules_changes_nothing(target: IptablesTarget) -> None:
    old = target.enforce(OLD)
    target.stand_ins = _failing(target, "iptables")
    reply = target.apply(target.plan(NEW))
    assert reply.last("refused") in ("ruleset", "unknown")
    target.stand_ins = ""
    target.goes_back_to(old.digest)
    assert target.drift(OLD) == []
    assert len(target.sets()) == 1


def test_a_swap_that_fails_and_cannot_be_taken_back_goes_back_when_it_can(target: IptablesTarget) -> None:
    old = target.enforce(OLD)
    tools = target.place / "bin"
    tools.mkdir()
    (tools / "broken").touch()
    for family, swaps in (("ip6tables", 1), ("iptables", 0)):
        name = f"{family}-{target.variant}-restore"
        # the trial of both and so many swaps succeed
        (tools / name).write_text(
            f"""#!/bin/sh
case "$*" in *--test*) exec {shutil.which(name)} "$@" ;; esac
if [ -e {tools}/broken ] && [ "$(ls {tools} | grep -c {family}.swap)" -ge {swaps} ]; then
    cat >/dev/null
    echo no luck >&2
    exit 1
fi
mktemp {tools}/{family}.swap.XXXXXX >/dev/null
exec {shutil.which(name)} "$@"
"""
        )
        (tools / name).chmod(0o755)
    target.stand_ins = f"PATH={tools}:$PATH\n"
    reply = target.apply(target.plan(NEW))
    assert reply.last("refused") == "unknown"
    assert "failed in the middle of the swap (no luck" in reply.last("reason")
    assert target.in_kernel() != old.digest
    (tools / "broken").unlink()
    target.goes_back_to(old.digest)
    assert target.drift(OLD) == []
    assert len(target.sets()) == 1


# Gives each transaction of a restore by itself, and keeps what stands behind it.
STEP_BY_STEP = """
take() {{
    if [ -n "${{3-}}" ]; then "$1-restore" --noflush --test <"$2" >"$work/said" 2>&1; return; fi
    rm -f "$work"/step.*
    awk -v into="$work/step." '{{ print >(into (1000 + at)) }} /^COMMIT/ {{ at++ }}' "$2"
    for step in "$work"/step.*; do
        "$1-restore" --noflush <"$step" >"$work/said" 2>&1 || return 1
        steps=$((${{steps-1000}} + 1))
        for family in iptables ip6tables; do "$family-{variant}-save" >"{place}/$steps.$family"; done
    done
}}
"""


class ByPorts(Wanted):
    """Lets each of some addresses in to a port of its own: more classes than the linear form has rules for."""

    first: int = 0

    def table(self) -> VerdictTable:
        table = super().table()
        cells, last = [], 256 * 65536 - 1
        rest = EVERY_ADDRESS
        for number in range(12):
            peer = addresses_of([f"10.203.0.{40 + number}", f"fd52:6600:0:1::{40 + number}"])
            point = 6 * 65536 + 7000 + (number * 5 + self.first) % 12
            lets = (0, point - 1, DENY), (point, point, Outcome(Effect.ALLOW)), (point + 1, last, DENY)
            cells.append(Cell(EVERY_ADDRESS, ProcessClass(), peer, ServiceMap(lets)))
            rest = rest - peer
        cells.append(Cell(EVERY_ADDRESS, ProcessClass(), rest, every(Effect.DENY)))
        return replace(table, inbound=DirectionTable(Mode.FULL, tuple(cells)))


class ByOtherPorts(ByPorts):
    """As ByPorts, but the classes have other numbers."""

    first = 7


def test_at_every_step_of_a_swap_a_packet_meets_all_of_the_old_rules_or_all_of_the_new_ones(
    target: IptablesTarget,
) -> None:
    seen = target.place / "seen"
    seen.mkdir()
    target.enforce(OLD)
    for wanted, transactions in ((ByPorts(), 2), (ByOtherPorts(), 3), (NEW, 2)):
        plan = target.plan(wanted)
        before = {family: saved(target, family) for family in FAMILIES.values()}
        target.stand_ins = STEP_BY_STEP.format(variant=target.variant, place=seen)
        assert target.apply(plan).last("state") == "waiting"
        target.stand_ins = ""
        after = {family: saved(target, family) for family in FAMILIES.values()}
        for family in FAMILIES.values():
            steps = sorted(seen.glob(f"*.{family}"))
            assert len(steps) == 2 * transactions
            for path in steps:
                step = path.read_text()
                closed = set(re.findall(r"^-A (rf_\S+) -j DROP\n(?=-A \1 )", step, re.MULTILINE))
                marks, asks = (part(step, table) for table in ("mangle", "filter"))
                opened = "\n".join(line for line in asks if line not in {f"-A {chain} -j DROP" for chain in closed})
                assert opened in {"\n".join(part(whole[family], "filter")) for whole in (before, after)}
                chains = {line.split()[1] for line in asks if " --mark " in line}
                if generations(marks) != generations(asks):
                    assert chains <= closed, (path, chains, closed)
        assert target.confirm(plan).last("state") == "confirmed"
        assert target.drift(wanted) == []
        for path in seen.iterdir():
            path.unlink()


def saved(target: IptablesTarget, family: str) -> str:
    """Return the rules of a family."""
    return target.kernel.run(f"{family}-{target.variant}-save")


def part(text: str, table: str) -> list[str]:
    """Return the rules of ours in a table, without what of them the host fills."""
    begun = text.partition(f"*{table}\n")[2].partition("COMMIT")[0]
    return [line for line in begun.splitlines() if line.startswith("-A rf_")]


def generations(rules: list[str]) -> set[str]:
    """Return the generations of the sets that rules ask."""
    return set(re.findall(r"_g(\d+) ", "\n".join(rules)))


def _failing(target: IptablesTarget, command: str) -> str:
    """Return what makes the second of two swaps fail, behind the trial of both."""
    name = f"{command}-{target.variant}-restore"
    tool = target.place / "bin"
    tool.mkdir(exist_ok=True)
    real = shutil.which(name)
    script = f'#!/bin/sh\ncase "$*" in *--test*) exec {real} "$@" ;; esac\ncat >/dev/null\necho no luck >&2\nexit 1\n'
    (tool / name).write_text(script)
    (tool / name).chmod(0o755)
    return f"PATH={tool}:$PATH\n"


def test_check_mode_changes_nothing_and_refuses_what_iptables_refuses(target: IptablesTarget) -> None:
    target.enforce(OLD)
    plan = target.plan(NEW)
    assert target.apply(plan, check="1").last("changed") == "yes"
    assert target.sets() == {"g0"}
    values = {**target.values(plan), "check": "1"}
    reply = target.ask("apply", values, b"# section ipset\n# section ipv4\n*filter\n-A INPUT --nonsense\nCOMMIT\n")[1]
    assert reply.last("refused") == "ruleset"
    assert target.drift(OLD) == []


def test_users_are_told_apart_in_both_families(target: IptablesTarget) -> None:
    cells = tuple(
        Cell(EVERY_ADDRESS, ProcessClass(None, user), EVERY_ADDRESS, every(effect))
        for user, effect in ((None, Effect.DENY), ("daemon", Effect.ALLOW))
    )
    out = DirectionTable(Mode.FULL, cells, (), ("daemon",))

    class WithUser(Wanted):
        def table(self) -> VerdictTable:
            table = super().table()
            return VerdictTable(table.inbound, out, table.control, table.rule_names)

    plan = target.plan(WithUser())
    assert target.apply(plan).all("process") == ["daemon: enforced"]
    target.confirm(plan)
    listing = target.ask("status", {"listing": "1"})[1].sections["listing"]
    found = read_ruleset(listing)
    assert differences(WithUser().table().data(), found) == []
    assert found["filled"]["processes"] == [  # type: ignore[index]
        {"map": "rf_users_out", "key": "1", "verdict": "goto rf_out_x0"}
    ]


def test_connections_that_stand_and_that_are_cut_are_loaded_with_the_rules(target: IptablesTarget) -> None:
    plan = target.plan(OLD)
    cut = "4 6 10.0.0.1 10.3.0.7 22 1007\n6 58 fd00::1 fd00::2 128 129\n4 47 10.0.0.1 10.0.0.2 0 0"
    target.stand_ins = """
socket_text() { echo 'S 4 00 10.0.0.1 10.3.0.8 22 1008 0 0'; echo 'S 4 00 10.0.0.1 10.3.0.7 22 1007 0 0'; }
"""
    target.apply(plan, cut=cut)
    listing = target.ask("status", {"listing": "1"})[1].sections["listing"]
    found = read_ruleset(listing)
    assert differences(OLD.table().data(), found) == []
    assert [one["remote"] for one in found["filled"]["standing"]] == ["10.3.0.8"]  # type: ignore[index]
    assert len(found["filled"]["cut"]) == 8  # type: ignore[index]


def every(effect: Effect) -> ServiceMap:
    """Return a map with one outcome."""
    return ServiceMap(((0, 256 * 65536 - 1, Outcome(effect)),))


def test_the_guard_sees_rules_that_another_firewall_flushed_in_one_family_too(target: IptablesTarget) -> None:
    def stands() -> str:
        asked = f"{target._placed(script('iptables'))}guard_boot && echo yes || echo no\n"
        return target.kernel.run(*target.shell, text=asked).strip()

    assert stands() == "yes", "nothing is confirmed"
    target.enforce(NEW)
    assert stands() == "yes"
    for family in FAMILIES.values():
        name = f"{family}-{target.variant}"
        there = target.kernel.run(f"{name}-save", "-t", "filter")
        target.kernel.run(name, "-F")
        assert stands() == "no"
        target.kernel.run(f"{name}-restore", text=there)
        assert stands() == "yes"

"""What verify tells of a host, from the host's reply."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.plan_directory import load_plan
from ansible_collections.ringfence.core.plugins.plugin_utils.target_orders import Reply
from ansible_collections.ringfence.core.plugins.plugin_utils.verification import MOST_TOLD, verify
from ringfence.enforcers.nftables import render
from ringfence.model.tables import VerdictTable
from rollout_plans import PlanMaker, Wanted
from table_factory import CONTROL, direction_table, service_map, shop_table


class ManyServices(Wanted):
    """A host whose peers have a port each."""

    def table(self) -> VerdictTable:
        """Return the verdict table of sixty peers."""
        return shop_table(direction_table({(f"10.1.0.{n * 2}",): service_map(f"tcp/{n + 1}") for n in range(60)}))


def test_of_very_many_differences_the_gravest_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    wanted = ManyServices(control=CONTROL.networks)
    plan = load_plan(str(PlanMaker(tmp_path).write({"web": wanted})))
    host = plan.host("web")
    listing = render(wanted.table()).partition("delete table inet ringfence\n")[2]
    values = {"ruleset": [host.ruleset], "stands": ["confirmed"]}

    proven = verify(plan, host, Reply(values, {"listing": listing}))
    drifted = verify(plan, host, Reply(values, {"listing": listing.replace("hook input", "hook forward")}))

    assert proven["drift"] == proven["differences"] == []
    assert len(drifted["differences"]) > 100
    assert len(drifted["drift"]) == MOST_TOLD + 1
    assert "nothing is enforced inbound" in drifted["drift"][0]
    assert all("is open and should not be" in text for text in drifted["drift"][1:-1])
    assert drifted["drift"][-1] == f"and {len(drifted['differences']) - MOST_TOLD} differences more"

"""The screens: a folder each, and one line here. Their modules are imported when they are first shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen: its name, its title and number key in the first line (empty: reached by others only), its class."""

    name: str
    title: str
    key: str
    where: str  # module:class


SCREENS = (
    Entry("overview", "Overview", "1", "ringfence_tui.screens.overview.screen:OverviewScreen"),
    Entry("assets", "Assets", "2", "ringfence_tui.screens.assets.screen:AssetsScreen"),
    Entry("map", "Map", "3", "ringfence_tui.screens.map.screen:MapScreen"),
    Entry("policy", "Policy", "4", "ringfence_tui.screens.policy.screen:PolicyScreen"),
    Entry("simulate", "Simulate", "5", "ringfence_tui.screens.simulate.screen:SimulateScreen"),
    Entry("rollout", "Rollout", "6", "ringfence_tui.screens.rollout.screen:RolloutScreen"),
    Entry("explain", "Explain", "", "ringfence_tui.screens.explain.screen:ExplainScreen"),
    Entry("suggest", "Suggestions", "", "ringfence_tui.screens.suggest.screen:SuggestScreen"),
    Entry("history", "History", "", "ringfence_tui.screens.history.screen:HistoryScreen"),
    Entry("verify", "Verify", "", "ringfence_tui.screens.verify.screen:VerifyScreen"),
    Entry("check", "Check", "", "ringfence_tui.screens.check.screen:CheckScreen"),
    Entry("lab", "Lab", "", "ringfence_tui.screens.lab.screen:LabScreen"),
    Entry("start", "Begin", "", "ringfence_tui.screens.start.screen:StartScreen"),
    Entry("start_lab", "Try the demo lab", "", "ringfence_tui.screens.start.screen:LabForm"),
    Entry("start_inventory", "Take over an inventory", "", "ringfence_tui.screens.start.screen:TakeOverForm"),
    Entry("start_new", "A new workspace", "", "ringfence_tui.screens.start.screen:NewForm"),
)

"""Jobs in the background: two at once are both told, and each ends by itself."""

from __future__ import annotations

from ringfence_tui.app import RingfenceApp
from ringfence_tui.jobs import Jobs, job_rows
from ringfence_tui.opened import Opened
from ringfence_tui.page import Page

from tests.tui.stub_engine import StubEngine, journey, shown


def test_the_newest_is_named_and_the_others_are_counted() -> None:
    jobs = Jobs()
    jobs.tell("Rollout", "rollout 1/9", 0.0)
    assert jobs.words() == "rollout 1/9"
    jobs.tell("Overview", "traffic", 10.0)
    jobs.tell("Rollout", "rollout 2/9", 20.0)
    assert jobs.words() == "2 jobs: traffic"
    texts = ["".join(span.text for span in row) for row in job_rows(jobs.every, 30.0)]
    assert ["traffic" in texts[0], "20 s" in texts[0], "rollout 2/9" in texts[1], "30 s" in texts[1]] == [True] * 4
    jobs.tell("Overview", "", 31.0)
    assert jobs.words() == "rollout 2/9"


@journey
async def test_one_job_does_not_take_the_other_from_the_top_line_and_a_key_lists_both() -> None:
    engine = StubEngine({"workspace.opened": lambda _request, _tell: Opened("/shop", "shop", False)})
    async with RingfenceApp(engine, first="lab").run_test(size=(100, 30)) as pilot:
        app = pilot.app
        assert isinstance(app, RingfenceApp)
        lab = app.page
        lab.job("lab")
        await pilot.press("2")
        assert isinstance(app.page, Page)
        app.page.job("discovers")
        await pilot.pause()
        assert "2 jobs: discovers" in shown(app)
        await pilot.press("J")
        await pilot.pause()
        assert "In the background" in shown(app)
        assert "for 0 s" in shown(app)
        await pilot.press("escape")
        app.page.job("")
        await pilot.pause()
        assert "2 jobs" not in shown(app)
        assert shown(app).splitlines()[0].endswith(" lab")

"""The forms of the first run: keys that go between their fields, and words that fit the smallest screen."""

from __future__ import annotations

import pytest
from ringfence_tui.app import RingfenceApp
from ringfence_tui.screens.start.model import FORMS, Form
from ringfence_tui.widgets.field import Field

from tests.tui.policy_pilot import until
from tests.tui.stub_engine import StubEngine, journey


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.way)
def test_no_sentence_of_a_form_is_cut_at_80_columns(form: Form) -> None:
    assert [line for line in form.does if len(line) + 4 > 80] == []
    assert [ask.help for ask in form.asks if len(ask.help) + 17 > 80] == []


@journey
async def test_tab_and_the_arrows_go_between_the_fields_and_none_leaves_the_form() -> None:
    app = RingfenceApp(StubEngine({}), first="start_inventory")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "Take over an Ansible inventory")
        seen = []
        for key in ("tab", "down", "down", "up", "shift+tab"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.focused, Field)
            seen.append(app.focused.id)
        assert seen == ["field-directory", "field-control", "field-inventory", "field-control", "field-directory"]

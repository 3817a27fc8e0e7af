"""Everything that can be done is found by its words, and listed in help."""

from __future__ import annotations

from importlib import import_module

import pytest
from ringfence_tui.actions import actions, found, help_rows
from ringfence_tui.app import RingfenceApp
from ringfence_tui.keys import Key
from ringfence_tui.screens import SCREENS, Entry
from ringfence_tui.spans import plain

KEYS = (Key("D", "discover", "discover", "Ask the inventory again"), Key("L", "label", "label", "Label", changes=True))


def test_what_begins_so_is_found_first_then_what_has_the_letters() -> None:
    every = actions("Assets", KEYS, read_only=False)

    assert found(every, "dis")[0].run == "discover"
    assert found(every, "go map")[0].text == "Go to Map"
    assert found(every, "") == every


def test_a_read_only_application_offers_no_change() -> None:
    assert "label" not in {action.run for action in actions("Assets", KEYS, read_only=True)}


def test_help_lists_the_keys_of_the_screen_and_the_signs() -> None:
    shown = "\n".join(map(plain, help_rows(actions("Assets", KEYS, read_only=False))))

    assert "D           Ask the inventory again" in shown
    assert "would" in shown or "full mode would deny it" in shown


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
def test_every_screen_can_be_made_and_every_key_of_it_has_its_action(entry: Entry) -> None:
    module, _, name = entry.where.partition(":")
    page = getattr(import_module(module), name)

    seen: dict[str, str] = {}
    for key in page.KEYS:
        action = key.action.partition("(")[0]
        if action in {"open", "nothing", "begin", "choose", "mark", "move"}:
            continue  # the widget's own, told of in the key line
        owner = RingfenceApp if action.startswith("app.") else page
        assert hasattr(owner, f"action_{action.removeprefix('app.')}"), (entry.name, action)
        for one in key.keys.split(","):
            assert seen.setdefault(one, action) == action, f"{entry.name}: {one} is {seen[one]} and {action}"


def test_names_and_numbers_of_screens_are_their_own() -> None:
    names = [entry.name for entry in SCREENS]
    numbers = [entry.key for entry in SCREENS if entry.key]

    assert len(names) == len(set(names))
    assert len(numbers) == len(set(numbers))

"""The page of a picture: the same bytes twice, data that ends no element, the renderer as it was checked."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files

from ringfence.model.picture import PolicyState
from ringfence.presenting.map import html as page
from ringfence.presenting.map.data import page_data

from tests.unit.presenting import picture_factory as pictures

FILES = PolicyState.FILES


def test_the_page_is_the_same_for_the_same_picture() -> None:
    assert page.html([pictures.shop()], FILES) == page.html([pictures.shop()], FILES)


def test_no_name_ends_the_data_or_begins_another_element() -> None:
    made = page.html([pictures.hostile()], FILES)
    data = made.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert json.loads(data)["levels"][1]["names"][0].startswith("</script><script>alert(1)")
    assert "<" not in data
    assert made.count("<script") - page._part(page.RENDERER).count("<script") == 3
    assert "@POLICY@ %%" in made
    assert not re.search(r"https?://", made.replace(page._part(page.RENDERER), ""))


def test_the_page_may_load_nothing_and_runs_what_its_policy_names() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.html([pictures.shop()], FILES))
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]


def test_past_its_room_the_page_has_groups_and_the_busiest_of_each_edge() -> None:
    fine = pictures.drawn(300, 2000)
    data = json.loads(json.dumps(page_data([fine], FILES, carried=500)))
    assert data["left"]
    (time,) = data["times"]
    shown = [busiest for busiest, _ in time["busiest"]]
    assert sum(len(one) for one in shown) + sum(more for _, more in time["busiest"]) == 2000
    assert sum(time["counts"]["flows"]) == sum(
        count.flows for signs in fine.totals.values() for count in signs.values()
    )


def test_the_vendored_renderer_is_the_one_that_was_checked() -> None:
    vendor = files("ringfence.presenting.map").joinpath("vendor")
    known = json.loads(vendor.joinpath("vendored.json").read_text("utf-8"))
    assert f"vendor/cytoscape-{known['version']}.min.js" == page.RENDERER
    for name, one in known["files"].items():
        assert hashlib.sha256(vendor.joinpath(name).read_bytes()).hexdigest() == one["sha256"], name

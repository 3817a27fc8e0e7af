"""Snapshots: the file, the digest, the difference, the checks over all assets, and finding."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.addresses import V6_BASE
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.problems import Severity
from ringfence.model.rules import Settings
from ringfence.sources import snapshots
from ringfence.sources.asset_search import find
from ringfence.sources.checks import asset_problems
from ringfence.sources.snapshots import (
    AssetChange,
    asset_in,
    difference,
    digest,
    read_snapshot,
    snapshot_text,
    write_snapshot,
)

from tests.unit.sources.asset_factory import NOW, asset, unhurried, write

WEB = asset("web-1", "10.0.0.1", "2001:db8::1", labels={"role": "web", "env": "prod"}, attributes={"groups": ["linux"]})
DB = asset("db-1", "10.0.0.2", labels={"role": "db"})
ESTATE = Snapshot((DB, WEB), NOW)

ASSETS = st.builds(
    Asset,
    name=st.text(min_size=1, max_size=5),
    addresses=st.frozensets(st.integers(0, 2**32 - 1) | st.integers(V6_BASE, V6_BASE + 2**128 - 1), max_size=3).map(
        lambda points: tuple(sorted(points))
    ),
    labels=st.dictionaries(st.text(max_size=3), st.builds(Label, st.text(max_size=3), st.text(max_size=3)), max_size=2),
    realm=st.text(max_size=3),
    workload=st.booleans(),
    sources=st.tuples(st.text(max_size=3)),
    control=st.none() | st.just(Control(("10.0.0.0/8",), 2222)),
    attributes=st.dictionaries(
        st.text(max_size=3), st.lists(st.integers() | st.none() | st.text(max_size=3)), max_size=2
    ),
    also=st.just(()) | st.tuples(st.text(min_size=1, max_size=3)),
)
SNAPSHOTS = st.lists(ASSETS, unique_by=lambda one: one.name, max_size=4).map(
    lambda assets: Snapshot(tuple(sorted(assets, key=lambda one: one.name)), NOW)
)


@unhurried
@given(SNAPSHOTS)
def test_what_is_written_is_read_back(tmp_path_factory, snapshot):
    path = tmp_path_factory.mktemp("snapshots") / "assets.json"
    write_snapshot(path, snapshot)
    assert read_snapshot(path) == snapshot
    assert path.read_text() == snapshot_text(snapshot)


@unhurried
@given(SNAPSHOTS)
def test_one_asset_is_found_as_among_all_whatever_the_layout_of_the_file(tmp_path_factory, snapshot):
    path = tmp_path_factory.mktemp("snapshots") / "assets.json"
    write_snapshot(path, snapshot)
    named, called = snapshot.named(), snapshot.called()
    found = {name: asset_in(path, name) for name in ("absent", "label", *called)}
    assert found == {name: named.get(name) or next(iter(called.get(name, ())), None) for name in found}
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    assert {name: asset_in(path, name) for name in found} == found


def test_of_a_snapshot_of_many_assets_only_the_one_that_is_asked_for_is_read(tmp_path, monkeypatch):
    path = tmp_path / "assets.json"
    names = [f"host-{number:04}" for number in range(2000)]
    hosts = [asset(name, labels={"role": "web"}, attributes={"name": "host-1999"}) for name in names]
    write_snapshot(path, Snapshot((*hosts, replace(asset("other"), also=("alias",))), NOW))
    read = []
    loads = json.loads
    monkeypatch.setattr(snapshots.json, "loads", lambda text: read.append(text) or loads(text))
    for name, most in (("host-0007", 1), ("alias", 1), ("absent", 0), ("role", 0)):
        read.clear()
        found = asset_in(path, name)
        assert (found is not None, len(read)) == (most == 1, most), name
    assert sum(map(len, read)) < 1000


@pytest.mark.parametrize("cut", [2, 20, -10])
def test_a_damaged_snapshot_is_named_when_one_asset_of_it_is_asked_for(tmp_path, cut):
    path = tmp_path / "assets.json"
    write_snapshot(path, ESTATE)
    path.write_bytes(path.read_bytes()[:-cut] if cut > 0 else path.read_bytes().replace(b'"workload":true', b"", 1))
    with pytest.raises(InputError, match=r"not a valid snapshot|damaged"):
        asset_in(path, "db-1")


@unhurried
@given(SNAPSHOTS, SNAPSHOTS)
def test_the_difference_is_empty_exactly_where_the_digests_are_equal(before, after):
    assert (not difference(before, after)) == (digest(before) == digest(after))


def test_the_digest_leaves_out_the_date_and_the_attributes():
    later = Snapshot((DB, replace(WEB, attributes={"groups": [], "uptime": 7})), NOW + timedelta(days=1))
    assert digest(later) == digest(ESTATE)


def test_the_difference_names_what_came_went_and_changed():
    relabelled = replace(WEB, labels={"role": Label("api", "labels.yml:3"), "env": WEB.labels["env"]})
    found = difference(ESTATE, Snapshot((asset("db-2"), relabelled), NOW))
    assert (found.added, found.removed) == (("db-2",), ("db-1",))
    assert found.changed == (
        AssetChange("web-1", "label role", "web", "api"),
        AssetChange("web-1", "rule of label role", "inventory", "labels.yml:3"),
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", '{"format": 2}', '{"format":1,"taken":"x","assets":[]}', "[" * 5000),
        '{"format":1,"taken":"2026-11-24T07:00:00Z","assets":[{"name": 5}]}',
    ],
)
def test_a_damaged_file_is_a_placed_error(tmp_path, text):
    path = write(tmp_path / "assets.json", text)
    with pytest.raises(InputError) as caught:
        read_snapshot(path)
    assert str(caught.value.place) == str(path)


def test_half_a_surrogate_pair_from_a_hostile_inventory_breaks_nothing(tmp_path):
    snapshot = Snapshot((asset("\ud800", attributes={"x": "\udfff"}),), NOW)
    write_snapshot(tmp_path / "assets.json", snapshot)
    assert read_snapshot(tmp_path / "assets.json") == snapshot
    assert digest(snapshot)


def test_a_failed_write_leaves_the_old_snapshot_whole(tmp_path):
    path = tmp_path / "assets.json"
    write_snapshot(path, ESTATE)
    with pytest.raises(TypeError):
        write_snapshot(path, Snapshot((replace(WEB, attributes={"x": object()}),), NOW))
    assert read_snapshot(path) == ESTATE
    assert [child.name for child in tmp_path.iterdir()] == ["assets.json"]


def problems(*assets, realms=None, control=None):
    return asset_problems(assets, Settings(realms=realms or {}, control=control))


def test_equal_addresses_in_realms_that_see_each_other_are_an_error():
    a, b = asset("a", "10.0.0.1", realm="blue"), asset("b", "10.0.0.1", realm="red")
    (found,) = problems(a, b, realms={"blue": ("red",), "red": ()})
    assert found.severity is Severity.ERROR
    assert found.message.startswith("10.0.0.1 is the address of 'a' in realm 'blue' and of 'b' in realm 'red'")


def test_equal_addresses_that_a_third_realm_sees_are_an_error():
    a, b = asset("a", "10.0.0.1", realm="blue"), asset("b", "10.0.0.1", realm="red")
    (found,) = problems(a, b, realms={"hub": ("blue", "red")})
    assert "realm 'hub' sees both" in found.message


def test_equal_addresses_apart_or_in_one_realm_are_fine():
    assert problems(asset("a", "10.0.0.1"), asset("vip", "10.0.0.1")) == ()
    a, b = asset("a", "10.0.0.1", realm="blue"), asset("b", "10.0.0.1", realm="red")
    assert problems(a, b, realms={"blue": (), "red": ()}) == ()


def test_a_realm_that_nobody_named_is_told_with_the_nearest_one():
    (found,) = problems(asset("a", "10.0.0.1", realm="blu"), realms={"blue": ()})
    assert (found.severity, found.remedy) == (Severity.WARNING, "did you mean 'blue'?")


BEHIND_A_GATEWAY = [("a", "10.0.0.1", 2201), ("b", "10.0.0.2", 2202), ("c", "10.0.0.3", 2201)]


def test_a_host_managed_on_another_port_than_the_control_path_is_told():
    host = asset("a", "10.0.0.1", attributes={"ansible_port": 2222})
    (found,) = problems(host, control=Control(("10.9.0.0/24",)))
    assert "asset 'a' is managed on port 2222, and the control path is port 22" in found.message


def test_hosts_managed_on_several_ports_are_told_with_the_port_of_each():
    hosts = [asset(name, at, attributes={"ansible_port": port}) for name, at, port in BEHIND_A_GATEWAY]
    assert [found.message for found in problems(*hosts, control=Control(("10.9.0.0/24",)))] == [
        "assets 'a', 'c' are managed on port 2201, and the control path is port 22",
        "asset 'b' is managed on port 2202, and the control path is port 22",
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("role=web", ["web-1"]),
        ("role=", ["db-1", "web-1"]),
        ("10.0.0.0/30", ["db-1", "web-1"]),
        ("10.0.0.2", ["db-1"]),
        ("2001:db8::/64", ["web-1"]),
        ("WEB-1", ["web-1"]),
        ("linux", ["web-1"]),
        ("-1 prod", ["web-1"]),
        ("nothing", []),
        ("", ["db-1", "web-1"]),
    ],
)
def test_assets_are_found_by_label_address_name_and_text(text, names):
    assert [found.name for found in find(ESTATE, text)] == names


LISTENING = asset("pg", attributes={"facts": {"ports": ["tcp/5432"]}, "tags": {"Team": ["Blue", {"x": "Kiosk"}]}})
MERGED = asset("vm-7", attributes={"identity": {"hosts": {"vm-7": ["vcenter"], "crm.x.y": ["cmdb"]}}})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tcp/5432", ["pg"]),
        ("tcp/543", []),
        ("kiosk", ["pg"]),
        ("blue", ["pg"]),
        ("crm.x.y", ["vm-7"]),
        ("crm", ["vm-7"]),
        ("vcenter", ["vm-7"]),
    ],
)
def test_assets_are_found_by_port_by_any_attribute_and_by_every_name_they_have(text, names):
    assert [found.name for found in find(Snapshot((LISTENING, MERGED), NOW), text)] == names


def in_vpc(name, vpc, *addresses, realm="default"):
    return asset(name, *addresses, attributes={"ringfence_aws": {"vpc": vpc}}, realm=realm)


def test_networks_that_repeat_addresses_in_one_realm_are_told_with_the_way_out():
    a, b = in_vpc("a", "vpc-1", "10.0.0.1", "10.0.0.2"), in_vpc("b", "vpc-2", "10.0.0.1", "10.0.0.2")
    (found,) = problems(a, b)
    assert found.message == (
        "the networks vpc-1, vpc-2 overlap in one realm: 10.0.0.1 of 'a' in vpc-1 and 'b' in vpc-2 and 1 more addresses"
    )
    assert "realm: vpc" in found.remedy
    apart = (in_vpc("a", "vpc-1", "10.0.0.1", realm="x"), in_vpc("b", "vpc-2", "10.0.0.1", realm="y"))
    assert problems(*apart, realms={"x": (), "y": ()}) == ()
    assert problems(in_vpc("a", "vpc-1", "10.0.0.1"), in_vpc("b", "vpc-1", "10.0.0.1")) == ()


def test_two_hosts_that_are_managed_by_one_address_are_told_and_ports_behind_one_address_are_not():
    def host(name, port=None):
        return asset(name, "10.0.0.1", attributes={"ansible_host": "10.0.0.1", "ansible_port": port})

    (found,) = problems(host("a"), host("b"), asset("vip", "10.0.0.1"))
    assert found.message == "several hosts are managed by one address: 10.0.0.1 by 'a', 'b'"
    assert problems(host("a"), host("b", 2222)) == ()

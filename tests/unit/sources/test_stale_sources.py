"""Silent sources: what they gave stands as the last snapshot knew it, marked stale, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from ringfence.model.addresses import address_text
from ringfence.model.assets import Label, Snapshot
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.rules import Settings
from ringfence.sources import survey
from ringfence.sources.stale_sources import Silent, is_stale, with_stale

from tests.unit.sources.asset_factory import NOW, asset, rule, write

LATER = NOW + timedelta(hours=1)
SCRIPT = """#!/bin/sh
test -e {flag} || {{ echo "the cloud does not answer" >&2; exit 1; }}
echo '{{"_meta": {{"hostvars": {{"vm-1": {{"ansible_host": "10.0.0.7", "tags": {{"role": "db"}}}}}}}},
       "shop": {{"hosts": ["vm-1"]}}}}'
"""


@pytest.fixture
def estate(tmp_path):
    write(tmp_path / "inventory/10-static.yml", "all: {hosts: {web-1: {ansible_host: 10.0.0.1}}}\n")
    script = write(tmp_path / "inventory/20-cloud.sh", SCRIPT.format(flag=tmp_path / "up"))
    script.chmod(0o755)
    write(tmp_path / "up", "")
    return tmp_path


def look(directory, last=None, now=LATER):
    rules = [rule(2, "role", "tags.role")]
    known = None if last is None else lambda: last
    return survey([directory / "inventory"], rules, Settings(), now=now, directory=directory, last=known)


def test_a_source_that_fails_leaves_its_assets_as_they_were_marked_stale(estate):
    before = look(estate, now=NOW).snapshot
    (estate / "up").unlink()
    found = look(estate, before)
    assert [one.name for one in found.snapshot.assets] == ["vm-1", "web-1"]
    vm, web = found.snapshot.assets
    assert (is_stale(vm), is_stale(web)) == (True, False)
    assert vm.label_values() == {"role": "db"}
    assert vm.attributes["stale"] == {"since": "2026-11-24T07:00:00Z", "source": "inventory/20-cloud.sh"}
    (problem,) = [one for one in found.problems if "gave nothing" in one.message]
    assert "inventory/20-cloud.sh gave nothing" in problem.message
    assert "1 asset stands as it was at 2026-11-24 07:00 UTC: 'vm-1'" in problem.message
    again = look(estate, found.snapshot)
    assert again.snapshot.named()["vm-1"].attributes["stale"]["since"] == "2026-11-24T07:00:00Z"


def test_what_a_speaking_source_says_of_itself_is_told_while_another_one_is_silent(estate):
    write(estate / "hosts.csv", "name,addresses\nweb-2,10.0.0.2\n,10.0.0.3\n")
    write(estate / "inventory/30-table.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    before = look(estate, now=NOW)
    of_the_row = [one for one in before.problems if str(one.place) == "hosts.csv:3"]
    assert [one.message for one in of_the_row] == ["this row is left out: it has no name"]
    (estate / "up").unlink()
    found = look(estate, before.snapshot)
    told = [one.message for one in found.problems]
    of_the_table = [one for one in before.problems if one.place is not None and one.place.file == "hosts.csv"]
    assert len(of_the_table) > 1
    assert [one for one in found.problems if one.place is not None and one.place.file == "hosts.csv"] == of_the_table
    assert len([one for one in told if "20-cloud.sh" in one]) == 1


def test_a_source_that_answers_again_is_believed(estate):
    before = look(estate, now=NOW).snapshot
    (estate / "up").unlink()
    stale = look(estate, before).snapshot
    write(estate / "up", "")
    assert not any(is_stale(one) for one in look(estate, stale).snapshot.assets)


def test_without_a_last_snapshot_a_source_that_fails_is_an_error(estate):
    (estate / "up").unlink()
    with pytest.raises(RingfenceError, match=r"20-cloud|does not answer|exit code"):
        look(estate)


def test_a_file_that_a_person_broke_is_an_error_with_its_place_and_no_silence(estate):
    before = look(estate, now=NOW).snapshot
    write(estate / "inventory/10-static.yml", "all:\n  hosts: {b: [\n")
    with pytest.raises(InputError) as caught:
        look(estate, before)
    assert str(caught.value.place).startswith("inventory/10-static.yml:3")


def test_the_configuration_of_a_plugin_that_a_person_broke_is_an_error_too(estate):
    before = look(estate, now=NOW).snapshot
    write(estate / "inventory/30-table.yml", "plugin: ringfence.core.onprem\ntable: [\n")
    with pytest.raises(InputError) as caught:
        look(estate, before)
    assert str(caught.value.place).startswith("inventory/30-table.yml:")


def test_an_asset_that_a_speaking_source_no_longer_names_goes(estate):
    write(estate / "hosts.csv", "name,addresses\nold-1,10.0.0.9\nold-2,10.0.0.10\n")
    write(estate / "inventory/30-table.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    before = look(estate, now=NOW).snapshot
    assert set(before.named()) == {"old-1", "old-2", "vm-1", "web-1"}
    write(estate / "hosts.csv", "name,addresses\nold-2,10.0.0.10\n")
    (estate / "up").unlink()
    assert set(look(estate, before).snapshot.named()) == {"old-2", "vm-1", "web-1"}


def test_a_source_of_ours_that_names_no_host_any_more_is_silent_until_its_file_is_deleted(estate):
    write(estate / "hosts.csv", "name,addresses\nold-1,10.0.0.9\n")
    table = write(estate / "inventory/30-table.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    before = look(estate, now=NOW).snapshot
    write(estate / "hosts.csv", "name,addresses\n")
    found = look(estate, before)
    assert is_stale(found.snapshot.named()["old-1"])
    assert any("30-table.yml gave nothing: it names no host" in one.message for one in found.problems)
    table.unlink()
    assert "old-1" not in look(estate, before).snapshot.named()


def test_what_a_plugin_says_it_did_not_reach_stands(tmp_path):
    hosts = "all: {vars: {ringfence_unreached: {aws 1/eu: expired}}, hosts: {a: {ringfence_sources: [aws 1/us]}}}\n"
    inventory = write(tmp_path / "hosts.yml", hosts)
    eu, us = (replace(asset(name), sources=(f"aws 1/{name}",)) for name in ("eu", "us"))
    found = survey([inventory], [], Settings(), now=LATER, directory=tmp_path, last=lambda: Snapshot((eu, us), NOW))
    assert [one.name for one in found.snapshot.assets] == ["a", "eu"]
    assert any("aws 1/eu gave nothing: expired" in one.message for one in found.problems)


CLOUD = Silent("inventory/20-cloud.yml", "no route", failed=True)
OF_CLOUD = {"ringfence_cloud": {"uuid": "1"}, "groups": ["cloud"], "tags": {"role": "db"}}


def test_an_asset_that_another_source_still_names_keeps_what_the_silent_one_said_of_it():
    old = replace(asset("db-1", "10.0.0.2", attributes=OF_CLOUD, labels={"pci": "true"}), sources=("cmdb",))
    new = replace(asset("db-1", "10.0.0.1", attributes={"groups": ["rows"], "rack": "R7"}), sources=("cmdb",))
    (found,) = with_stale([new], Snapshot((old,), NOW), [CLOUD]).assets
    assert [address_text(point) for point in found.addresses] == ["10.0.0.1", "10.0.0.2"]
    assert (found.attributes["tags"], found.attributes["groups"]) == ({"role": "db"}, ["cloud", "rows"])
    assert found.label_values() == {"pci": "true"}
    assert found.attributes["stale"]["attributes"] == ["ringfence_cloud", "tags"]


def test_an_asset_keeps_the_name_that_only_the_silent_source_has_for_it():
    old = replace(asset("db-1", attributes=OF_CLOUD), sources=("cmdb",), also=("vm-7", "web-1"))
    new = replace(asset("db-1", attributes={"rack": "R7"}), sources=("cmdb",))
    found = with_stale([new, asset("web-1")], Snapshot((old,), NOW), [CLOUD]).assets
    assert [one.also for one in found] == [("vm-7",), ()]


def test_labels_that_rules_gave_are_given_anew_and_not_kept():
    old = replace(asset("vm", labels={"pci": "true"}), sources=("inventory",))
    old = replace(old, labels={**old.labels, "role": Label("db", "labels.yml:3")})
    (found,) = with_stale([], Snapshot((old,), NOW), [CLOUD]).assets
    assert found.label_values() == {"pci": "true"}


def test_a_merged_asset_stays_one_under_its_name_while_one_of_its_sources_is_silent():
    hosts = {"hosts": {"vm-web": ["inventory/20-cloud.yml"], "web.x.y": ["cmdb"]}}
    sources = ("cmdb", "inventory/20-cloud.yml")
    old = replace(asset("vm-web", "10.0.0.1", attributes={"identity": hosts}), sources=sources)
    new = replace(asset("web.x.y", "10.0.0.1"), sources=("cmdb",))
    stood = with_stale([new], Snapshot((old,), NOW), [CLOUD])
    assert stood.same == (("vm-web", "web.x.y"),)
    assert [one.name for one in stood.assets] == ["vm-web", "web.x.y"]


def test_a_host_that_its_source_read_in_part_keeps_what_was_known_of_it_and_the_others_go():
    sources = ("inventory/20-proxmox.yml", "inventory/20-proxmox.yml: proxmox pve1")
    hung, gone = (
        replace(asset(name, address), sources=sources) for name, address in (("fin", "10.0.0.7"), ("old", "10.0.0.8"))
    )
    half = replace(hung, addresses=(), attributes={"ringfence_incomplete": "it hangs"})
    stood = with_stale([half], Snapshot((hung, gone), NOW), [])
    assert [(one.name, [address_text(point) for point in one.addresses]) for one in stood.assets] == [
        ("fin", ["10.0.0.7"])
    ]
    (problem,) = stood.problems
    assert "'fin' of inventory/20-proxmox.yml gave nothing: it hangs; 1 asset stands as it was" in problem.message


def test_a_source_in_a_linked_folder_that_fails_leaves_its_assets_as_they_were(estate):
    write(estate / "clouds/20-cloud.sh", "").unlink()
    (estate / "inventory/20-cloud.sh").rename(estate / "clouds/20-cloud.sh")
    (estate / "inventory/shared").symlink_to("../clouds")
    before = look(estate, now=NOW).snapshot
    assert [one.name for one in before.assets] == ["vm-1", "web-1"]
    (estate / "up").unlink()
    found = look(estate, before)
    assert [(one.name, is_stale(one)) for one in found.snapshot.assets] == [("vm-1", True), ("web-1", False)]

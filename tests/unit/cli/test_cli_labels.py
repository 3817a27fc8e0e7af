"""`ringfence labels suggest`: suggestions with their evidence, and one that a person takes into labels.yml."""

from __future__ import annotations

from tests.unit.cli_shop import data, ringfence, shop

HOSTS = """\
all:
  vars: {ringfence_labels: {app: shop}}
  hosts:
    api-1: {ansible_host: 10.0.1.3, vm: {role: api}}
    db-1: {ansible_host: 10.0.1.4}
    web-1: {ansible_host: 10.0.1.1, vm: {role: web}}
"""
QUIET = {"policy/shop.yml": "enforce: [{where: any, mode: observe}]\n", "policy/tests/shop.yml": "tests: []\n"}


def test_a_suggestion_is_shown_with_its_evidence_and_taken_into_the_file(tmp_path):
    directory = shop(tmp_path, {"inventory/hosts.yml": HOSTS, **QUIET})
    before = (directory / "labels.yml").read_text()
    flows = ("--flows", str(directory / "flows.csv"))
    found = data(directory, "labels", "suggest", *flows)
    assert [one["name"] for one in found["suggestions"]] == ["role=db:names", "role=db:ports"]
    shown = ringfence(directory, "labels", "suggest", *flows).output
    assert "serves tcp/5432: 'db-1'" in shown
    assert "'db' in 'db-1'" in shown
    assert (directory / "labels.yml").read_text() == before
    (rule,) = data(directory, "labels", "suggest", *flows, "--accept", "role=db:names")["accepted"]
    assert rule["role"] == "db"
    assert (directory / "labels.yml").read_text().startswith(before)
    labels = data(directory, "labels", "db-1")["assets"]["db-1"]
    assert labels["role"] == {"value": "db", "rule": "labels.yml:3"}
    assert data(directory, "labels", "suggest", "--no-flows")["suggestions"] == []


def test_a_name_that_is_not_suggested_is_wrong_input(tmp_path):
    directory = shop(tmp_path)
    done = ringfence(directory, "labels", "suggest", "--no-flows", "--accept", "role=db")
    assert done.exit_code == 2
    assert "nothing called 'role=db' is suggested" in done.stderr

"""The inventory plugins onprem and labels, run by the real ansible-inventory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ringfence.language import load_label_rules
from ringfence.model.rules import Settings
from ringfence.sources import survey

from tests.unit.sources.asset_factory import NOW, write

ROOT = Path(__file__).parents[3]
COMMAND = Path(sys.executable).parent / "ansible-inventory"
if not COMMAND.exists():
    pytest.skip("ansible-core is not installed beside this Python", allow_module_level=True)

TABLE = """name,addresses,role,env,Rack,Login
web-1,"10.1.0.11, 2001:db8:1::11",web,prod,r1,admin
db-1,10.1.0.21,db,prod,,
dev-1,10.2.0.21,db,dev,r9,root
"""
CMDB = "Hostname,IPv4,IPv6,Stage,Service,Login,Rack,Status\na,10.0.0.1,,prod,shop,root,r1,live\n"
RULES = """labels:
  - app: tags.Application || onprem.Service
  - role: web
    when: starts_with(name, 'front')
  - team: team
"""


def inventory(workspace, *arguments, **environment):
    command = [str(COMMAND), "-i", str(workspace / "inventory"), "--list", *arguments]
    wanted = {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        **environment,
    }
    return subprocess.run(
        command, cwd=workspace, env={**os.environ, **wanted}, capture_output=True, text=True, check=False, timeout=180
    )


def unwrapped(mapping):
    """Ansible says in this form that a string is never to be evaluated."""
    return mapping["__ansible_unsafe"] if set(mapping) == {"__ansible_unsafe"} else mapping


def listed(workspace, **environment):
    done = inventory(workspace, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=unwrapped), " ".join(done.stderr.split())


def test_a_short_configuration_gives_hosts_addresses_and_labels(tmp_path):
    write(tmp_path / "hosts.csv", TABLE)
    write(tmp_path / "inventory/30-onprem.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    found, warnings = listed(tmp_path)
    web = found["_meta"]["hostvars"]["web-1"]
    assert web["ansible_host"] == "10.1.0.11"
    assert web["ringfence_addresses"] == ["10.1.0.11", "2001:db8:1::11"]
    assert web["ringfence_labels"] == {"role": "web", "env": "prod"}
    assert web["ringfence_sources"] == ["inventory/30-onprem.yml"]
    assert web["onprem"]["Rack"] == "r1"
    assert warnings == ""


def test_filters_variables_and_groups_work_as_documented(tmp_path):
    write(tmp_path / "hosts.csv", TABLE)
    write(
        tmp_path / "inventory/onprem.yml",
        """plugin: ringfence.core.onprem
table: [../hosts.csv]
filters: {env: [prod]}
host_vars: {ansible_user: Login}
keyed_groups: [{key: ringfence_labels.env, prefix: env}]
groups: {racked: onprem.Rack != ''}
compose: {ntp_server: "'10.1.0.1'"}
""",
    )
    found, _ = listed(tmp_path)
    variables = found["_meta"]["hostvars"]
    assert set(variables) == {"web-1", "db-1"}
    assert (found["env_prod"]["hosts"], found["racked"]["hosts"]) == (["web-1", "db-1"], ["web-1"])
    assert (variables["web-1"]["ansible_user"], "ansible_user" in variables["db-1"]) == ("admin", False)
    assert variables["db-1"]["ntp_server"] == "10.1.0.1"


def test_broken_rows_are_warned_of_by_file_and_line_or_fail(tmp_path):
    write(tmp_path / "hosts.csv", TABLE + "bad,10.0.0.300,,,,\nlast,10.3.0.1,,,,\n")
    config = write(tmp_path / "inventory/onprem.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    found, warnings = listed(tmp_path)
    assert set(found["_meta"]["hostvars"]) == {"web-1", "db-1", "dev-1", "last"}
    assert "hosts.csv:5: this row is left out" in warnings
    assert "1 of 5 rows are broken" in warnings
    write(config, config.read_text() + "failures: fail\n")
    assert inventory(tmp_path).returncode != 0


def test_what_a_table_says_is_never_evaluated(tmp_path):
    write(tmp_path / "hosts.csv", "name,addresses,note\na,10.0.0.1,\"{{ lookup('pipe', 'touch pwned') }}\"\n")
    write(
        tmp_path / "inventory/onprem.yml",
        "plugin: ringfence.core.onprem\ntable: ../hosts.csv\ncompose: {copied: onprem.note}\n",
    )
    found, _ = listed(tmp_path)
    assert not list(tmp_path.rglob("pwned"))
    assert "lookup" in json.dumps(found["_meta"]["hostvars"]["a"]["copied"])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("table: ../none.csv", "the table cannot be read"),
        ("table: ../hosts.csv\ncolumns: {nam: x}", "did you mean 'name'"),
        ("table: ../hosts.csv\ncolumns: {name: Nme}", "did you mean 'name'?"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path, config, said):
    write(tmp_path / "hosts.csv", TABLE)
    write(tmp_path / "inventory/onprem.yml", f"plugin: ringfence.core.onprem\n{config}\n")
    done = inventory(tmp_path)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_inventory_cache_is_used_until_the_table_changes(tmp_path):
    table = write(tmp_path / "hosts.csv", TABLE)
    write(tmp_path / "inventory/onprem.yml", "plugin: ringfence.core.onprem\ntable: ../hosts.csv\ncache: true\n")
    cache = {
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(tmp_path / "cache"),
    }
    first, _ = listed(tmp_path, **cache)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text(kept.read_text().replace("10.1.0.21", "10.1.0.99"))
    assert "10.1.0.99" in json.dumps(listed(tmp_path, **cache)[0])
    write(table, TABLE + "new,10.4.0.1,,,,\n")
    assert set(listed(tmp_path, **cache)[0]["_meta"]["hostvars"]) == {*first["_meta"]["hostvars"], "new"}


def test_labels_reach_the_hosts_of_somebody_elses_inventory_and_make_groups(tmp_path):
    write(tmp_path / "labels.yml", RULES)
    write(
        tmp_path / "inventory/10-any.yml",
        "all: {hosts: {front-1: {tags: {Application: shop}}, back-1: {team: 'red team'}}}\n",
    )
    write(tmp_path / "inventory/20-other.yml", "all: {hosts: {db-1: {ringfence_labels: {role: db, app: own}}}}\n")
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    write(tmp_path / "inventory/group_vars/all.yml", "onprem: {Service: from-group-vars}\n")
    found, _ = listed(tmp_path)
    variables = found["_meta"]["hostvars"]
    assert variables["front-1"]["ringfence_label_values"] == {"app": "shop", "role": "web"}
    assert variables["back-1"]["ringfence_label_values"] == {"app": "from-group-vars", "team": "red team"}
    assert variables["db-1"]["ringfence_label_values"] == {"app": "own", "role": "db"}
    assert variables["db-1"]["ringfence_labels"] == {"role": "db", "app": "own"}
    assert found["app_shop"]["hosts"] == ["front-1"]
    assert found["team_red_team"]["hosts"] == ["back-1"]


def test_what_can_be_no_label_is_a_warning_of_the_plugin_too_and_stops_nothing(tmp_path):
    hosts = "all: {hosts: {a: {ansible_host: 10.0.0.1, ringfence_labels: {tier: 1, env: 'prod '}}}}\n"
    write(tmp_path / "inventory/10-static.yml", hosts)
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    write(tmp_path / "labels.yml", RULES)
    found, warnings = listed(tmp_path)
    assert found["_meta"]["hostvars"]["a"]["ringfence_label_values"] == {"env": "prod"}
    assert "ringfence_labels of host 'a' gives 'tier' 1, and labels are text: that label is left out" in warnings


def test_the_engine_still_knows_which_rule_gave_which_label_behind_the_plugin(tmp_path):
    write(tmp_path / "labels.yml", RULES)
    write(
        tmp_path / "inventory/10-any.yml",
        "all: {hosts: {front-1: {ansible_host: 10.0.0.1, tags: {Application: shop}}}}\n",
    )
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    rules = load_label_rules(tmp_path / "labels.yml")
    found = survey([tmp_path / "inventory"], rules, Settings(), now=NOW, directory=tmp_path)
    (front,) = found.snapshot.assets
    assert front.label_values() == {"app": "shop", "role": "web"}
    assert front.labels["app"].rule.endswith("labels.yml:2")
    assert front.attributes["groups"] == []
    assert not {"ringfence_label_values", "ringfence_label_groups"} & set(front.attributes)


def test_group_keys_choose_the_labels_that_become_groups(tmp_path):
    write(tmp_path / "labels.yml", RULES)
    write(tmp_path / "inventory/10-any.yml", "all: {hosts: {front-1: {tags: {Application: shop}}}}\n")
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\ngroup_keys: [app]\nseparator: __\n")
    found, _ = listed(tmp_path)
    assert "app__shop" in found
    assert not [group for group in found if group.startswith("role")]


def test_wrong_rules_are_told_with_their_place(tmp_path):
    write(tmp_path / "labels.yml", "labels:\n  - app: length(name)\n")
    write(tmp_path / "inventory/10-any.yml", "all: {hosts: {a: }}\n")
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    done = inventory(tmp_path)
    assert done.returncode != 0
    assert re.search(r"labels\.yml:2:\d+: the rule for 'app' fails on asset 'a'", " ".join(done.stderr.split()))


def test_a_labels_file_that_is_parsed_first_says_so(tmp_path):
    write(tmp_path / "labels.yml", RULES)
    write(tmp_path / "inventory/10-labels.yml", "plugin: ringfence.core.labels\n")
    write(tmp_path / "inventory/20-any.yml", "all: {hosts: {a: }}\n")
    assert "name it so that it is parsed last" in listed(tmp_path)[1]


@pytest.mark.parametrize("config", ["plugin: ringfence.core.onprem\ntable: x.csv\n", "plugin: ringfence.core.labels\n"])
def test_without_the_engine_a_plugin_says_which_line_installs_it(tmp_path, config):
    write(tmp_path / "shadow/ringfence/__init__.py", "raise ImportError(\"No module named 'ringfence'\")\n")
    write(tmp_path / "inventory/config.yml", config)
    done = inventory(tmp_path, PYTHONPATH=str(tmp_path / "shadow"))
    assert done.returncode != 0
    assert "-m pip install ringfence" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("plugin", ["onprem", "labels"])
def test_the_documented_examples_are_configurations_that_the_plugin_takes(tmp_path, plugin):
    done = subprocess.run(
        [str(COMMAND.with_name("ansible-doc")), "-t", "inventory", f"ringfence.core.{plugin}", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        timeout=180,
    )
    documented = json.loads(done.stdout)[f"ringfence.core.{plugin}"]
    options = set(documented["doc"]["options"])
    examples = list(yaml.safe_load_all(documented["examples"]))
    assert len(examples) >= 2
    for number, example in enumerate(examples):
        assert set(example) <= options
        if "merge_by" in example:  # its files have a test of their own, below
            continue
        workspace = tmp_path / str(number) / "site"
        write(workspace / "hosts.csv", TABLE)
        write(
            workspace / "cmdb.csv",
            CMDB,
        )
        write(workspace / "labels.yml", RULES)
        write(workspace.parent / "shared/labels.yml", RULES)
        if plugin == "labels":
            write(workspace / "inventory/10-any.yml", "all: {hosts: {front-1: {tags: {Application: shop}}}}\n")
        write(workspace / "inventory/90-example.yml", yaml.safe_dump(example))
        assert listed(workspace)[0]["_meta"]["hostvars"]


def test_exports_of_several_formats_are_merged_by_their_key_as_documented(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book = openpyxl.Workbook()
    book.active.title = "Servers"
    book.active.append(["Hostname", "Serial", "IPv4", "env", "Root Password"])
    book.active.append(["web-1", "S1", "10.1.0.11", "prod", "hunter2"])
    book.save(tmp_path / "cmdb.xlsx")
    found = [{"serial_number": "s1", "ip_addresses": ["10.9.0.11"], "agent": "7.1"}]
    write(tmp_path / "monitoring.json", json.dumps({"result": found}))
    write(tmp_path / "by-hand.yml", "result:\n  - {Serial: S2, Hostname: db-1, IPv4: 10.1.0.21, env: prod}\n")
    text = (ROOT / "collections/ansible_collections/ringfence/core/plugins/inventory/onprem.py").read_text()
    example = text.partition('EXAMPLES = r"""')[2].partition('"""')[0].split("---\n")[-1]
    write(tmp_path / "inventory/30-onprem.yml", example)
    listing, warnings = listed(tmp_path)
    web = listing["_meta"]["hostvars"]["web-1"]
    assert web["ringfence_addresses"] == ["10.1.0.11", "10.9.0.11"]
    source = "inventory/30-onprem.yml"
    assert web["ringfence_sources"] == [source, f"{source}: cmdb.xlsx", f"{source}: monitoring.json"]
    assert (web["onprem"]["agent"], "Root Password" in web["onprem"]) == ("7.1", False)
    assert set(listing["_meta"]["hostvars"]) == {"web-1", "db-1"}
    assert warnings == ""

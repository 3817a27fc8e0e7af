"""What a source says hosts are reached by is a name or an address: no option of ssh's, no word of a shell's."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import can_be_reached

from tests.sources.inventory_run import configured, listed

OPTION = "-oProxyCommand=touch${IFS}pwned"
TABLE = f"""name,addresses,Login address
web-1,10.9.1.1,{OPTION}
web-2,,{OPTION}
web-3,10.9.1.3,"{{{{ lookup('pipe', 'touch pwned') }}}}"
web-4,10.9.1.4,10.9.1.4 -oProxyCommand=x
web-5,10.9.1.5,$(touch pwned).example.org
web-6,10.9.1.6,büro_6.example.org
"""


@pytest.mark.parametrize("by", ["host_vars", "compose"])
def test_a_table_gives_ssh_no_option_whoever_composes_it(tmp_path, by):
    how = {"host_vars": "Login address", "compose": "onprem['Login address']"}[by]
    configured(tmp_path, "onprem", table="../hosts.csv", **{by: {"ansible_host": how}})
    (tmp_path / "hosts.csv").write_text(TABLE, encoding="utf-8")

    found, said = listed(tmp_path)

    hosts = {name: one.get("ansible_host") for name, one in found["_meta"]["hostvars"].items()}
    assert hosts == {
        "web-1": "10.9.1.1",
        "web-2": None,
        "web-3": "10.9.1.3",
        "web-4": "10.9.1.4",
        "web-5": "10.9.1.5",
        "web-6": "büro_6.example.org",
    }
    given = {name: one.get("ringfence_given", {}) for name, one in found["_meta"]["hostvars"].items()}
    assert {name: one.get("ansible_host") for name, one in given.items()} == hosts
    assert "hosts are reached by no such text: 'web-1'" in said


def test_what_a_person_gives_a_host_in_a_file_of_theirs_stays(tmp_path):
    configured(tmp_path, "onprem", table="../hosts.csv")
    (tmp_path / "hosts.csv").write_text("name,addresses,role\nweb-1,,web\n")
    (tmp_path / "inventory/05-hosts.yml").write_text(
        'all: {hosts: {web-1: {ansible_host: "{{ site }}.example.org", site: a}}}\n'
    )

    found, said = listed(tmp_path)

    assert found["_meta"]["hostvars"]["web-1"]["ansible_host"] == "{{ site }}.example.org"
    assert "no such text" not in said


@pytest.mark.parametrize(
    ("host", "connection", "may"),
    [
        ("10.0.0.1", "ssh", True),
        ("::1", "ssh", True),
        ("fe80::1%eth0", "ansible.builtin.ssh", True),
        ("[2001:db8::1]", "ssh", True),
        ("web1.example.com.", "ssh", True),
        ("-w", "ssh", False),
        ("a b", "ssh", False),
        ("a;b", "ansible.builtin.paramiko_ssh", False),
        ("root@a", "ssh", False),
        ("", "ssh", False),
        (None, "ssh", False),
        ("web (old)", "community.libvirt.libvirt_lxc", True),
        ("--help", "community.libvirt.libvirt_lxc", False),
        ("a\nb", "community.libvirt.libvirt_lxc", False),
    ],
)
def test_names_and_addresses_are_told_from_options(host, connection, may):
    assert can_be_reached(host, connection) is may

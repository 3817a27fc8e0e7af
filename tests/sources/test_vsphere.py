"""The inventory plugin vsphere on a simulated vCenter: what is found, what fails, and how that is told."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import MACHINE, PYVMOMI_MISSING, pages
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.stub import PageStub

from tests.simulated_vcenter import CannotSimulate, build, guest, running
from tests.sources.inventory_run import configured, documentation, listed, run_inventory

if PYVMOMI_MISSING is not None:
    pytest.skip("pyvmomi is not installed", allow_module_level=True)

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from tests.sources.vcenter_factory import MACHINES, furnish

LOGIN = {"VMWARE_USER": "reader", "VMWARE_PASSWORD": "secret"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    try:
        return build(tmp_path_factory.mktemp("program"))
    except CannotSimulate as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def vcenter(program, tmp_path_factory):
    with running(program, tmp_path_factory.mktemp("vcsim"), MACHINES, "-datacenters=2", "-machines=4") as server:
        furnish(server)
        yield server


@pytest.fixture
def ask(vcenter, tmp_path):
    def ask(**options):
        asked = {"hostname": vcenter.host, "port": vcenter.port, "ca_path": str(vcenter.certificate), **options}
        configured(tmp_path, "vsphere", **asked)
        found, warnings = listed(tmp_path, **LOGIN)
        return found["_meta"]["hostvars"], warnings, found

    return ask


def test_machines_come_with_addresses_labels_places_and_tags(ask):
    hosts, _, _ = ask()
    web = next(host for name, host in hosts.items() if name.startswith("web-1") and host["ansible_host"] == "10.0.0.11")
    assert web["ringfence_addresses"] == ["10.0.0.11", "2001:db8::b"]
    assert web["ringfence_labels"] == {
        "vsphere_vcenter": "127.0.0.1",
        "vsphere_datacenter": "DC0",
        "vsphere_cluster": "DC0_C0",
    }
    fact = web["ringfence_vsphere"]
    assert fact["tags"] == {"Application": "shop", "Environment": "production"}
    assert fact["hostname"] == "vm-11.example.org"
    assert fact["interfaces"] == [
        {"mac": "00:50:56:00:00:0b", "network": "VM Network", "addresses": ["10.0.0.11", "2001:db8::b"]}
    ]
    assert len(fact["instance_uuid"]) == 36
    assert "ansible_connection" not in web


def test_machines_that_share_a_name_are_told_apart_by_their_ids(ask):
    hosts, _, _ = ask()
    shared = {name: host["ansible_host"] for name, host in hosts.items() if name.startswith("web-1")}
    assert sorted(shared.values()) == ["10.0.0.11", "10.0.0.21"]
    assert all(name == f"web-1_{hosts[name]['ringfence_vsphere']['id']}" for name in shared)


def test_windows_is_reached_and_enforced_its_own_way(ask):
    hosts, _, _ = ask()
    windows = hosts["win_1"]
    assert windows["ringfence_vsphere"]["name"] == "win/1"
    assert (windows["ansible_connection"], windows["ringfence_enforcer"]) == ("psrp", "windows")
    assert hosts["no-tools"]["ringfence_enforcer"] == "windows"


def test_addresses_of_interfaces_inside_the_guest_count_only_where_asked_for(ask):
    hosts, _, _ = ask()
    assert hosts["docker-1"]["ringfence_addresses"] == ["10.0.0.13"]
    hosts, _, _ = ask(inner_interfaces=True)
    assert hosts["docker-1"]["ringfence_addresses"] == ["10.0.0.13", "172.17.0.1"]


def test_custom_attributes_are_kept_but_no_secrets(ask):
    hosts, _, found = ask()
    assert hosts["docker-1"]["ringfence_vsphere"]["attributes"] == {"owner": "shop team"}
    assert "never-shown" not in str(found)
    assert "'secret'" not in str(found)


def test_a_running_machine_without_addresses_is_named_and_counted(ask):
    hosts, warnings, _ = ask(within=["DC0/host/DC0_H0"])
    assert hosts["no-tools"]["ringfence_addresses"] == []
    assert "ansible_host" not in hosts["no-tools"]
    assert "2 running machines have no address reported by VMware Tools: DC0_H0_VM3, no-tools" in warnings


def test_a_hostile_name_stays_text_and_names_no_group(ask, tmp_path):
    hosts, _, found = ask()
    (name,) = [name for name, host in hosts.items() if "pwned" in host["ringfence_vsphere"]["name"]]
    assert name == "lookup_pipe_touch_pwned_all"
    assert not (tmp_path / "pwned").exists()
    assert set(found) == {"_meta", "all", "ungrouped"}


def test_templates_are_hosts_only_where_asked_for_and_no_workloads(ask):
    hosts, _, _ = ask()
    assert "golden" not in hosts
    hosts, _, _ = ask(templates=True)
    assert hosts["golden"]["ringfence_workload"] is False


def test_hypervisors_are_assets_that_nothing_enforces_on(ask):
    hosts, _, _ = ask()
    hypervisor = hosts["DC0_C0_H0"]
    assert hypervisor["ringfence_workload"] is False
    assert hypervisor["ringfence_labels"]["vsphere_cluster"] == "DC0_C0"
    hosts, _, _ = ask(hypervisors=False)
    assert "DC0_C0_H0" not in hosts


def test_the_server_is_asked_for_a_part_alone(ask):
    hosts, _, _ = ask(within=["DC1"], hypervisors=False)
    assert {host["ringfence_vsphere"]["datacenter"] for host in hosts.values()} == {"DC1"}
    hosts, _, _ = ask(tagged={"Environment": "development"}, hypervisors=False)
    assert set(hosts) == {"docker-1"}
    hosts, _, _ = ask(tagged={"Environment": ["production"], "Application": "shop"}, within=["DC1"], hypervisors=False)
    assert {host["ansible_host"] for host in hosts.values()} == {"10.0.0.21"}
    _, warnings, _ = ask(tagged={"Environment": "develpment", "Aplication": "shop"}, hypervisors=False)
    assert "'tagged' has 'develpment' for 'Environment', which no machine has (did you mean 'development'?)" in warnings
    assert "'tagged' has 'shop' for 'Aplication', which no machine has (there is nothing)" in warnings
    hosts, _, _ = ask(power_states=["poweredOff"], hypervisors=False)
    assert set(hosts) == {"off-1"}


def test_groups_and_variables_are_composed_from_the_short_names_of_the_fact(ask):
    hosts, _, found = ask(
        keyed_groups=[{"key": "tags.Application", "prefix": "app"}],
        groups={"silent": "tools is not defined or tools != 'guestToolsRunning'"},
        compose={"ansible_user": "'admin' if platform == 'linux' else 'Administrator'"},
        hypervisors=False,
    )
    assert "win_1" in found["app_shop"]["hosts"]
    assert "no-tools" in found["silent"]["hosts"]
    assert hosts["win_1"]["ansible_user"] == "Administrator"


def test_network_cards_tell_mac_addresses_of_machines_without_tools(ask):
    hosts, _, _ = ask(network_cards=True)
    assert hosts["no-tools"]["ringfence_vsphere"]["macs"]


def test_each_datacenter_may_be_a_realm(ask):
    hosts, _, _ = ask(realm="datacenter")
    assert hosts["off-1"]["ringfence_realm"] == "DC1"


def test_an_esxi_host_without_a_vcenter_is_asked_alike_and_has_no_tags(program, tmp_path):
    with running(program, tmp_path / "esx", {"ha-host_VM0": {"Name": "web-1", "Guest": guest(5)}}, "-esx") as server:
        asked = {"hostname": server.host, "port": server.port, "ca_path": str(server.certificate)}
        configured(tmp_path, "vsphere", **asked, tags=False)
        without, warnings = listed(tmp_path, **LOGIN)
        configured(tmp_path, "vsphere", **asked)
        _, told = listed(tmp_path, **LOGIN)
    web = without["_meta"]["hostvars"]["web-1"]
    assert web["ringfence_addresses"] == ["10.0.0.5", "2001:db8::5"]
    assert "vsphere_cluster" not in web["ringfence_labels"]
    assert "tags" not in warnings
    assert "tags cannot be read: the login answers status 404" in told


def test_the_inventory_cache_answers_without_the_server_and_holds_no_secrets(vcenter, tmp_path):
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    asked = {"hostname": vcenter.host, "ca_path": str(vcenter.certificate), **cache}
    configured(tmp_path, "vsphere", **asked, port=vcenter.port)
    first, _ = listed(tmp_path, **LOGIN)
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert "web-1" in kept
    assert "secret" not in kept
    second, _ = listed(tmp_path, **LOGIN, VMWARE_HOST="nobody.invalid")
    assert second == first


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"port": 1}, "127.0.0.1:1 cannot be asked"),
        ({"ca_path": None}, "the certificate of 127.0.0.1 is not trusted"),
        ({"password": "wrong"}, "127.0.0.1 refuses the login of 'reader': check its password"),
        ({"within": ["DC7/vm"]}, "there is no 'DC7/vm' that may be read: write it as in 'DC0/vm/prod'"),
    ],
)
def test_what_fails_is_told_in_one_line(vcenter, tmp_path, options, told):
    asked = {"hostname": vcenter.host, "port": vcenter.port, "ca_path": str(vcenter.certificate), **options}
    configured(tmp_path, "vsphere", **{name: value for name, value in asked.items() if value is not None})
    done = run_inventory(tmp_path, **LOGIN)
    text = " ".join(done.stderr.split())
    assert done.returncode != 0
    assert told in text
    assert "Traceback" not in text
    assert "wrong" not in text.replace("Wrong", "")


@pytest.fixture
def session(vcenter):
    context = ssl.create_default_context(cafile=str(vcenter.certificate))
    service = SmartConnect(
        host=vcenter.host, port=vcenter.port, user=vcenter.username, pwd=vcenter.password, sslContext=context
    )
    yield service
    Disconnect(service)


def quick(service):
    collector = service.RetrieveContent().propertyCollector
    return vmodl.query.PropertyCollector(collector._moId, PageStub(collector._stub))


def test_answers_are_read_as_pyvmomi_reads_them(session):
    content = session.RetrieveContent()
    kinds = vmodl.query.PropertyCollector
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine, vim.HostSystem], True)
    step = kinds.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    query = kinds.FilterSpec(
        objectSet=[kinds.ObjectSpec(obj=view, skip=True, selectSet=[step])],
        propSet=[
            kinds.PropertySpec(type=vim.VirtualMachine, pathSet=[*MACHINE]),
            kinds.PropertySpec(type=vim.HostSystem, pathSet=["name", "summary.hardware.numCpuCores"]),
        ],
    )
    ours = {thing.id: thing for thing in pages(quick(session), query)}
    theirs = {one.obj._moId: one for one in content.propertyCollector.RetrieveContents([query])}
    assert set(ours) == set(theirs)
    for identity, answer in theirs.items():
        told = ours[identity].properties
        assert ours[identity].kind == answer.obj._wsdlName
        assert set(told) == {each.name for each in answer.propSet}
        for each in answer.propSet:
            if each.name == "guest.net":
                assert [nic["addresses"] for nic in told[each.name]] == [list(nic.ipAddress) for nic in each.val]
            elif each.name == "customValue":
                assert told[each.name] == {one.key: one.value for one in each.val}
            else:
                assert told[each.name] == getattr(each.val, "_moId", each.val)


def test_a_fault_in_the_place_of_a_page_is_a_fault(session):
    with pytest.raises(vmodl.MethodFault):
        quick(session).ContinueRetrievePropertiesEx(token="none")


def test_the_examples_of_the_documentation_use_options_that_exist():
    options, examples = documentation("vsphere")
    fragments = {"cache", "compose", "groups", "keyed_groups"}
    assert examples
    for example in examples:
        assert set(example) <= options | fragments

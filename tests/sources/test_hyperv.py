"""The inventory plugin hyperv against a server that replays WinRM's messages as MS-WSMV documents them."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.api import (
    PYWINRM_MISSING,
    SCRIPT,
    HostAnswer,
    Wanted,
    ask_hyperv,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.transform import Shape, guest_items, hosts

from tests.sources.inventory_run import configured, documentation, listed, run_inventory
from tests.sources.replay_server import replaying
from tests.sources.winrm_replay import WinRm

if PYWINRM_MISSING is not None:
    pytest.skip("pywinrm is not installed", allow_module_level=True)

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"
BIOS = "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}"


def item(name, value):
    told = f'<PROPERTY NAME="Data" TYPE="string"><VALUE>{value}</VALUE></PROPERTY>'
    named = f'<PROPERTY NAME="Name" TYPE="string"><VALUE>{name}</VALUE></PROPERTY>'
    return f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{told}{named}</INSTANCE>'


def machine(name, number=1, addresses=(), guest=(), **more):
    adapter = {"name": "Network Adapter", "mac": "00155D000A01", "switch": "lan", "vlan": 12, "addresses": [*addresses]}
    row = {"name": name, "id": f"{number:08d}-4F89-11D3-9A0C-0305E82C3301", "bios": BIOS, "state": "Running"}
    return {**row, "generation": 2, "groups": ["shop"], "guest": guest, "adapters": [adapter], **more}


MACHINES = [
    machine("web-1", 1, ["10.0.0.5", "fe80::1", "2001:db8::5"], [item("OSName", "Windows Server 2022 Standard")]),
    machine("Datenbank Süd; Remove-VM *", 2, [], [item("FullyQualifiedDomainName", HOSTILE), "<broken", 7]),
    machine("resting", 3, state="Off", guest=None, groups=None, adapters=None, bios=None),
]


def found(*winrm, shape=None, **options):
    """Ask hosts, each an address of loopback of its own, of which the first replays `winrm`."""
    with replaying({"/wsman": winrm[0]}) as replay:
        account = {"user": "reader", "password": "hunter2", "transport": "basic", "scheme": "http"}
        given = {"servers": ["127.0.0.1"], "port": urlsplit(replay.url).port, "timeout": 5, **account, **options}
        return hosts(ask_hyperv(Wanted(**given)), shape or Shape()), replay


def test_machines_have_the_addresses_that_hyper_v_knows_and_names_of_any_kind_are_data():
    result, _ = found(WinRm(MACHINES))
    known = dict(result.hosts)
    assert set(known) == {"web-1", "Datenbank_S_d_Remove-VM", "resting"}
    web = known["web-1"]
    assert (web["ringfence_addresses"], web["ansible_host"]) == (["10.0.0.5", "2001:db8::5"], "10.0.0.5")
    assert web["ringfence_labels"] == {"hyperv_host": "127.0.0.1", "hyperv_group": "shop"}
    assert (web["ringfence_enforcer"], web["ansible_connection"]) == ("windows", "psrp")
    fact = web["ringfence_hyperv"]
    assert (fact["uuid"], fact["mac"]) == (BIOS.strip("{}").lower(), ["00:15:5d:00:0a:01"])
    assert known["Datenbank_S_d_Remove-VM"]["ringfence_hyperv"]["fqdn"] == HOSTILE
    assert result.warnings == []


def test_the_script_only_reads_and_is_all_that_is_sent():
    winrm = WinRm([])
    found(winrm)
    (command,) = winrm.commands
    assert base64.b64decode(command.rpartition(" ")[2]).decode("utf-16-le") == SCRIPT.strip()
    assert set(re.findall(r"\b([A-Za-z]+)-[A-Z]\w+", SCRIPT)) == {"Get", "ConvertTo"}
    assert winrm.actions == ["Create", "Command", "Receive", "Signal", "Delete"]


def test_a_host_that_is_not_reached_is_named_and_the_rest_goes_on():
    result, _ = found(WinRm(MACHINES), servers=["127.0.0.1", "127.0.0.9"])
    assert len(result.hosts) == 3
    assert "the host 127.0.0.9 was not reached" in result.warnings[0]
    assert result.warnings[1] == "1 of 2 hosts were not reached; the rest is there"
    assert set(result.unreached) == {"hyperv 127.0.0.9"}


@pytest.mark.parametrize(
    ("winrm", "said"),
    [
        (WinRm(output=b"", errors=b'#< CLIXML\r\n<S S="Error">Get-VM : denied_x000D__x000A_</S>', status=1), "denied"),
        (WinRm(output=b"Loading profile..."), "did not print what it should"),
        (WinRm({"a": 1}), "printed no list"),
        ((401, ""), "credentials were rejected"),
        ((500, "<html>oops</html>"), "500"),
        (lambda body: "<a/>", "not WinRM's"),
        (lambda body: "no xml", "not WinRM's"),
    ],
)
def test_an_answer_that_is_none_is_told(winrm, said):
    result, _ = found(winrm)
    assert said in result.warnings[0]
    assert set(result.unreached) == {"hyperv 127.0.0.1"}


def test_a_state_that_no_machine_is_in_is_told():
    (answer,) = [HostAnswer("hv1", [{"id": "1", "name": "a", "state": "Running"}])]
    result = hosts([answer], Shape(states=["runing"]))
    assert result.warnings == ["'states' has 'runing', which no machine has (did you mean 'Running'?)"]


def test_a_password_goes_over_no_open_line():
    for host in ("hv1.example.com", "x/../y", "a b"):
        with pytest.raises(SourceRefused):
            ask_hyperv(Wanted([host], "reader", "pw", transport="basic", scheme="http"))


def test_what_guests_say_is_never_more_than_text():
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><INSTANCE/>'
    assert guest_items([bomb, "<a>", None, item("OSName", "Linux"), item("Other", "x")]) == {"os": "Linux"}
    assert guest_items("no list") == {}
    assert guest_items({"value": [item("OSName", "Linux")], "Count": 1}) == {"os": "Linux"}


def test_the_inventory_has_groups_evaluates_nothing_and_keeps_no_secret(tmp_path):
    with replaying({"/wsman": WinRm(MACHINES)}) as replay:
        account = {"user": "reader", "transport": "basic", "scheme": "http", "port": urlsplit(replay.url).port}
        keyed = [{"key": "host", "prefix": "on"}]
        configured(tmp_path, "hyperv", servers=["127.0.0.1"], states=["Running"], keyed_groups=keyed, **account)
        inventory, warnings = listed(tmp_path, RINGFENCE_HYPERV_PASSWORD="hunter2")
        replay.answers.clear()
        done = run_inventory(tmp_path, RINGFENCE_HYPERV_PASSWORD="hunter2")
    assert inventory["on_127_0_0_1"]["hosts"] == ["Datenbank_S_d_Remove-VM", "web-1"]
    assert "hunter2" not in str(inventory)
    assert warnings == ""
    assert not list(tmp_path.rglob("pwned"))
    assert done.returncode != 0
    assert "hyperv 127.0.0.1: " in " ".join(done.stderr.split())


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("hyperv")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "keyed_groups", "cache"} for example in examples)

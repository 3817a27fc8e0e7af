"""The inventory plugin ldap on a real OpenLDAP directory: what is found, what fails, and how that is told."""

from __future__ import annotations

import base64
import uuid

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import (
    LDAP3_MISSING,
    Entry,
    Wanted,
    ask_ldap,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.groups import Memberships
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.transform import Shape, dn_parts, hosts

from tests.sources.inventory_run import configured, documentation, listed, run_inventory
from tests.sources.ldap_directory import computer, directory_at, group, missing_tools, unit

if LDAP3_MISSING is not None:
    pytest.skip("ldap3 is not installed", allow_module_level=True)
if missing_tools():
    pytest.skip(f"not installed: {', '.join(missing_tools())}", allow_module_level=True)

GUID = uuid.UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
WINDOWS = "Windows Server 2022 Standard"
HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"
ENTRIES = [
    *(unit(name) for name in ("Servers", "Groups", "Closed", "Many")),
    computer(
        "WEB1",
        dNSHostName="web1.example.com",
        sAMAccountName="WEB1$",
        operatingSystem=WINDOWS,
        userAccountControl=4096,
        location="fra",
        lastLogonTimestamp=133574400000000000,
        **{"objectGUID:": base64.b64encode(GUID.bytes_le).decode(), "userPassword": "never-shown"},
    ),
    computer("db1", ipHostNumber="10.7.0.5", operatingSystem="Ubuntu", description=HOSTILE),
    computer("old1", dNSHostName="old1.example.com", userAccountControl=4098),
    computer("shut1", unit="Closed", dNSHostName="shut1.example.com"),
    *(
        computer(f"many{number}", unit="Many", ipHostNumber=f"10.8.{number // 250}.{number % 250}")
        for number in range(900)
    ),
    group("web", "cn=WEB1,ou=Servers"),
    group("all-web", "cn=web,ou=Groups", "cn=loop-b,ou=Groups"),
    group("loop-a", "cn=loop-b,ou=Groups", "cn=db1,ou=Servers"),
    group("loop-b", "cn=loop-a,ou=Groups"),
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    yield from directory_at(tmp_path_factory.mktemp("slapd"), ENTRIES)


def wanted(directory, *base, **options):
    given = {"servers": [directory.encrypted], "ca_certs": str(directory.certificate)}
    account = {"bind_dn": directory.reader, "password": directory.password}
    return Wanted(**{**given, **account, "base": base or [directory.base], **options})


def found(directory, *base, shape=None, **options):
    return hosts(ask_ldap(wanted(directory, *base, **options)), shape or Shape())


SERVERS = ("ou=Servers,dc=example,dc=com", "ou=Groups,dc=example,dc=com")


def test_computers_come_with_names_addresses_labels_and_the_groups_they_are_in_through_others(directory):
    known = dict(found(directory, *SERVERS, shape=Shape(labels={"loc": "location"})).hosts)
    assert set(known) == {"web1.example.com", "db1"}
    web, database = known["web1.example.com"], known["db1"]
    assert (web["ansible_host"], web["ansible_connection"], web["ringfence_enforcer"]) == (
        *("web1.example.com", "psrp"),
        "windows",
    )
    assert web["ringfence_labels"] == {"ldap_domain": "example.com", "ldap_ou": "Servers", "loc": "fra"}
    assert web["ringfence_ldap"]["member_of"] == ["all-web", "web"]
    assert (web["ringfence_ldap"]["guid"], web["ringfence_ldap"]["last_logon"]) == (str(GUID), "2024-04-13T00:00:00Z")
    assert (database["ansible_host"], database["ringfence_addresses"]) == ("10.7.0.5", ["10.7.0.5"])
    assert "ansible_connection" not in database


def test_groups_that_contain_each_other_are_named_and_their_members_are_in_all_of_them(directory):
    result = found(directory, *SERVERS)
    assert "groups contain each other: loop-a → loop-b → loop-a" in result.warnings
    database = dict(result.hosts)["db1"]["ringfence_ldap"]
    assert database["member_of"] == ["all-web", "loop-a", "loop-b"]


def test_more_computers_than_the_server_gives_at_once_come_page_by_page(directory):
    assert len(found(directory, "ou=Many,dc=example,dc=com", page_size=100).hosts) == 900


def test_disabled_computers_are_left_out_unless_asked_for(directory):
    assert "old1.example.com" in dict(found(directory, *SERVERS, shape=Shape(disabled=True)).hosts)


def test_the_directory_applies_the_filter(directory):
    answer = ask_ldap(wanted(directory, *SERVERS, filter="(&(objectClass=computer)(operatingSystem=Ubuntu))"))
    assert [entry.first("cn") for _, entry in answer.computers] == ["db1"]


def test_a_base_that_is_not_there_is_named_and_the_rest_goes_on(directory):
    result = found(directory, *SERVERS, "ou=Nowhere,dc=example,dc=com")
    assert len(result.hosts) == 2
    assert "'ou=Nowhere,dc=example,dc=com' was not read: noSuchObject" in " ".join(result.warnings)
    assert set(result.unreached) == {"ldap ou=Nowhere,dc=example,dc=com"}


def test_a_password_goes_over_no_open_line_and_a_wrong_one_is_told(directory):
    with pytest.raises(SourceRefused, match="in clear text"):
        found(directory, servers=[directory.plain])
    with pytest.raises(SourceRefused, match="invalidCredentials"):
        found(directory, password="wrong")
    assert found(directory, *SERVERS, servers=[directory.plain], start_tls=True).hosts


def test_a_certificate_that_nobody_signed_is_refused_and_the_next_server_asked(directory):
    with pytest.raises(SourceRefused, match=r"no directory server responds: .*certificate"):
        found(directory, ca_certs=None)
    result = found(directory, *SERVERS, servers=["ldaps://127.0.0.1:1", directory.encrypted])
    assert result.hosts
    assert "ldaps://127.0.0.1:1 was not queried" in result.warnings[0]


def test_attributes_that_hold_passwords_are_refused(directory):
    with pytest.raises(SourceRefused, match="ms-Mcs-AdmPwd, which contains secrets"):
        found(directory, attributes=["ms-Mcs-AdmPwd"])


def test_the_inventory_has_groups_and_evaluates_nothing_and_keeps_no_secret(directory, tmp_path):
    options = {"server": directory.encrypted, "ca_certs": str(directory.certificate), "bind_dn": directory.reader}
    groups = [{"key": "units", "prefix": "ou"}, {"key": "member_of", "prefix": "ad"}]
    password = {"password": "{{ lookup('ansible.builtin.env', 'LDAP_PASSWORD') }}"}
    configured(tmp_path, "ldap", base=[*SERVERS, "ou=Gone"], keyed_groups=groups, cache=True, **options, **password)
    cache = {"ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile", "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(tmp_path / "c")}
    inventory, warnings = listed(tmp_path, LDAP_PASSWORD=directory.password, **cache)
    assert inventory["ad_all_web"]["hosts"] == ["db1", "web1.example.com"]
    assert inventory["ou_Servers"]["hosts"] == ["db1", "web1.example.com"]
    variables = inventory["_meta"]["hostvars"]
    assert HOSTILE.split()[1] in str(variables["db1"]["ringfence_ldap"]["description"])
    assert variables["db1"]["ringfence_sources"] == [
        "inventory/10-ldap.yml",
        f"inventory/10-ldap.yml: ldap {SERVERS[0]}",
    ]
    assert variables["db1"]["ringfence_unreached"].keys() == {"inventory/10-ldap.yml: ldap ou=Gone"}
    assert "1 parts of the directory were not read" in warnings
    everything = str(inventory) + warnings + "".join(file.read_text() for file in tmp_path.rglob("c/*"))
    assert directory.password not in everything.replace("secrets", "")
    assert "never-shown" not in everything
    assert not list(tmp_path.rglob("pwned"))


def test_failures_fail_where_that_is_wanted(directory, tmp_path):
    options = {"server": directory.encrypted, "ca_certs": str(directory.certificate), "bind_dn": directory.reader}
    configured(tmp_path, "ldap", base=[*SERVERS, "ou=Gone"], failures="fail", password=directory.password, **options)
    done = run_inventory(tmp_path)
    assert done.returncode != 0
    assert "'ou=Gone' was not read" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("ldap")
    known = {*options, "compose", "groups", "keyed_groups", "strict", "cache", "failures"}
    assert len(examples) == 2
    for example in examples:
        assert set(example) <= known


@pytest.mark.parametrize(
    ("dn", "parts"),
    [
        ("CN=web 1,OU=Web\\, old,DC=example", [("cn", "web 1"), ("ou", "Web, old"), ("dc", "example")]),
        ("", []),
        ("nonsense", [("nonsense", "")]),
    ],
)
def test_names_of_the_directory_are_taken_apart(dn, parts):
    assert dn_parts(dn) == parts


def test_cycles_of_any_length_are_named_once():
    def holds(name, *members):
        return Entry(f"cn={name}", {"cn": [name], "member": [f"cn={member}" for member in members]})

    groups = [
        holds("a", "c"),
        holds("b", "a"),
        holds("c", "b"),
        holds("self", "self"),
        holds("top", "a"),
        holds("leaf"),
    ]
    assert Memberships(groups, []).cycles() == [["a", "b", "c"], ["self"]]
    assert Memberships([holds(str(one), str(one + 1)) for one in range(5000)], []).cycles() == []

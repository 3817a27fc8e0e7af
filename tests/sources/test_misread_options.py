"""A word or a number that YAML reads as something else is refused in every plug-in, with its place and its quotes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleParserError
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import (
    text_by_name,
    texts,
    texts_by_name,
    unmatched,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_words import refuse_misread

from tests.sources.inventory_run import run_inventory

MISREAD = {
    "aws": ("exclude_accounts: [001234567012]", "001234567012", "the number 175304202"),
    "containers": ("engines:\n  - host: 0815\n  - host: 017", "017", "the number 15"),
    "hyperv": ("servers: [hv1]\nuser: a\nstates: [off]", "off", "false"),
    "kubernetes": ("labels: {y: x, on: tier}", "on", "true"),
    "ldap": ("server: ldap://dc1\nbase: NO", "NO", "false"),
    "libvirt": ("uris: ['qemu:///system', ~]", "~", "nothing"),
    "netbox": ("url: http://127.0.0.1:1\ndevice_filters:\n  site: [fra, 1_000]", "1_000", "the number 1000"),
    "onprem": ("table: a.csv\nfilters: {Country: [NO, SE]}", "NO", "false"),
    "proxmox": ("host: a\nuser: b\nfilters:\n  name: 22:22", "22:22", "the number 1342"),
    "sweep": ("ranges: [10.0.0.0/24]\nlabel_prefix: Yes", "Yes", "true"),
    "vsphere": ("hostname: a\ntagged: {Since: 2024-01-01}", "2024-01-01", "the date 2024-01-01"),
}
OPTIONS = {
    "filters": {"type": "dict"},
    "keep": {"type": "list", "elements": "str", "aliases": ["held"]},
    "sheet": {"type": "str"},
    "base": {"type": "raw"},
    "port": {"type": "int"},
    "tags": {"type": "bool"},
    "columns": {"type": "dict", "suboptions": {"name": {"type": "str"}, "labels": {"type": "dict"}}},
    "compose": {"type": "dict"},
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What Ansible says of a directory with a misread word in the configuration of every plug-in."""
    workspace = tmp_path_factory.mktemp("workspace")
    (workspace / "inventory").mkdir()
    for name, (text, _, _) in MISREAD.items():
        (workspace / "inventory" / f"{name}.yml").write_text(f"plugin: ringfence.core.{name}\n{text}\n")
    done = run_inventory(workspace, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="0")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("name", MISREAD)
def test_a_misread_word_is_told_with_its_place_and_its_quotes(said, name):
    text, word, read_as = MISREAD[name]
    line = 2 + text.count("\n")
    (warning,) = [one for one in said.split("[WARNING]: ") if "with 'auto' plugin" in one and f"/{name}.yml:" in one]
    assert f"has {word} without quotes, which YAML reads as {read_as}: write '{word}'." in " ".join(warning.split())
    assert f"inventory/{name}.yml:{line}:" in warning


@pytest.mark.parametrize(
    "text",
    [
        "filters: {Country: NO}",
        "filters: {Country: [SE, off]}",
        "filters: {y: a, on: b}",
        "filters: {Site: 007}",
        "filters: {Site: 0x1F}",
        "filters: {Site: 1_000}",
        "filters: {Site: +7}",
        "filters: {Rev: 1.10}",
        "filters: {Rev: 1.5}",
        "filters: {Rev: 1.0e+3}",
        "filters: {Rev: .inf}",
        "filters: {At: 22:22}",
        "filters: {At: 2024-01-01}",
        "filters: {At: 2024-01-01 10:00:00}",
        "filters: {At: null}",
        "filters: {At: }",
        "filters: {At: [~]}",
        "filters: {Up: TRUE}",
        "filters: {Up: {a: b}}",
        "filters: {Up: [[a]]}",
        "held: [NO]",
        "keep: off",
        "sheet: 1.10",
        "base: [a, NO]",
        "columns: {name: NO}",
        "columns: {labels: {no: x}}",
        "x: &x {Country: NO}\nfilters: {<<: *x}",
    ],
)
def test_what_yaml_would_change_is_refused(text):
    with pytest.raises(AnsibleParserError, match=r"write |wants text"):
        refuse_misread(text, "/w/inventory/x.yml", OPTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "filters: {Country: ['NO', \"off\", N, SE]}",
        "filters: {Site: 7, Port: [22, 0, -1], Up: true, Down: false}",
        "filters: {Site: '007', At: '22:22', Old: 0o17, Exp: 1e3, None: None, empty: ''}",
        "filters: {Secret: !vault abc, Raw: !unsafe 'x'}",
        "filters:",
        "sheet:",
        "port: 0017\ntags: off\ncompose: {x: 1.10}\nother: NO",
        '{"filters": {"Country": ["NO"]}}',
        "- a\n- b",
        "filters: {",
    ],
)
def test_what_stays_as_it_is_written_is_taken(text):
    refuse_misread(text, "/w/inventory/x.yml", OPTIONS)


def test_numbers_and_truth_values_are_the_texts_that_were_written():
    assert texts_by_name({"Port": [22, 443], "Up": True, 5: "a"}) == {"Port": ["22", "443"], "Up": ["true"], "5": ["a"]}
    assert (texts(None), texts_by_name(None)) == ([], {})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("RETIRED", "did you mean 'retired'?"),
        ("retird", "did you mean 'retired'?"),
        ("zzz", "there are: live, retired"),
    ],
)
def test_a_filter_that_meets_nothing_is_told_with_the_nearest_value(value, said):
    (warning,) = unmatched(
        "exclude", {"Status": [value, "live"]}, {"Status": ["live", "retired", "retired", ""]}, "row"
    )
    assert warning == f"'exclude' has '{value}' for 'Status', which no row has ({said})"


def test_a_filter_that_meets_something_is_not_told():
    have = {"Status": ["live ", "", "Ko\u0308ln"]}
    assert unmatched("filters", {"Status": ["live", "", "K\xf6ln"]}, have, "row") == []


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sheet: [a, b]", "write a single text, not a list"),
        ("filters: {Up: {a: b}}", "write one text, or a list of texts"),
        ("filters: {Up: [[a]]}", "write each text of the list separately"),
    ],
)
def test_a_list_where_one_text_is_wanted_is_not_told_to_be_a_list(text, remedy):
    with pytest.raises(AnsibleParserError, match=remedy):
        refuse_misread(text, "/net/inventory/30.yml", OPTIONS)


def test_a_mapping_of_single_texts_takes_no_list():
    with pytest.raises(AnsibleParserError, match="'env' has a list where it wants text: write one text"):
        text_by_name({"env": ["Stage", "Env"]})

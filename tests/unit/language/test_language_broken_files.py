"""Broken policy files: each gives an error with its place, its reason and the way out, and never a traceback."""

from pathlib import Path

import pytest

from tests.unit.language.policy_text import errors_of

RULE = "rules:\n  - from: any\n    to: any\n    allow: any\n"
HOW = "look at the indentation, quotes and brackets here"

BROKEN = {
    "a misspelt key of a document": (
        "rulez: []\n",
        ["policy/shop.yml:1:1: 'rulez' is not a key of a policy document (did you mean 'rules'?)"],
    ),
    "a misspelt key of a rule": (
        "rules:\n  - form: any\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:5: 'form' is not a key of a rule (did you mean 'from'?)"],
    ),
    "a misspelt action": (
        "rules:\n  - from: any\n    to: any\n    alow: any\n",
        ["policy/shop.yml:4:5: 'alow' is not a key of a rule (did you mean 'allow'?)"],
    ),
    "a key that stands twice": (
        "rules:\n  - from: any\n    from: unknown\n    to: any\n    allow: any\n",
        ["policy/shop.yml:3:5: the key 'from' stands twice (the first is in line 2: remove one)"],
    ),
    "a tab for indentation": (
        "rules:\n\t- from: any\n",
        ["policy/shop.yml:2:1: a tab where YAML wants spaces (indent with spaces)"],
    ),
    "a bracket that nobody closes": (
        "rules:\n  - from: {role: web\n    to: any\n",
        [
            "policy/shop.yml:3:7: this is not valid YAML: expected ',' or '}', but got ':' "
            f"while parsing a flow mapping ({HOW})"
        ],
    ),
    "a truth value for a label": (
        "rules:\n  - from: {pci: true}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:17: the value of label 'pci' is the truth value true (write pci: \"true\", in quotes)"],
    ),
    "a number for a label": (
        "rules:\n  - from: {rack: [7, a]}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:19: the value of label 'rack' is the number 7 (write rack: \"7\", in quotes)"],
    ),
    "nothing for a label": (
        "rules:\n  - from: {role: }\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:17: the value of label 'role' is nothing (write role: \"\", in quotes)"],
    ),
    "a word of the grammar for a label key": (
        "rules:\n  - from: {exists: web}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:12: 'exists' is a word of the grammar and no label key (write {role: {exists: true}})"],
    ),
    "an action inside a selector": (
        "rules:\n  - from: any\n    to:\n      role: web\n      allow: tcp/80\n",
        [
            "policy/shop.yml:2:5: a rule needs an action (add one of 'allow:', 'deny:', 'pass:')",
            "policy/shop.yml:5:7: 'allow' is a word of the grammar and no label key "
            "(a key of the rule: does it stand too deep? A label of that name needs another one)",
        ],
    ),
    "a label key that is none": (
        "rules:\n  - from: {a b: web}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:12: 'a b' is not a valid label key: a letter or '_', then letters, digits and any of "
            "_ . : / - (the words of a selector are: all, any, asset, cidr, except, fqdn, list, not, selector)"
        ],
    ),
    "an empty list of values": (
        "rules:\n  - from: {role: []}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:18: the list of values of 'role' is empty (write {role: {exists: true}})"],
    ),
    "an empty list of alternatives": (
        "rules:\n  - from: []\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:11: the list of 'from' is empty (write a selector, or 'any')"],
    ),
    "an empty list of services": (
        "rules:\n  - from: any\n    to: any\n    allow: []\n",
        ["policy/shop.yml:4:12: the list of services is empty (write at least one, or leave the key out)"],
    ),
    "a negated value": (
        "rules:\n  - from: {role: {not: web}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:18: the value of label 'role' is a mapping (write {not: {role: …}})"],
    ),
    "an unknown service": (
        "rules:\n  - from: any\n    to: any\n    allow: [htps]\n",
        ["policy/shop.yml:4:13: 'htps' is not a valid service (did you mean 'https'?)"],
    ),
    "a misspelt protocol": (
        "rules:\n  - from: any\n    to: any\n    allow: tpc/80\n",
        ["policy/shop.yml:4:12: 'tpc/80' is not a valid service (did you mean 'tcp/80'?)"],
    ),
    "a port without a protocol": (
        "rules:\n  - from: any\n    to: any\n    allow: 443\n",
        [
            "policy/shop.yml:4:12: the number 443 is not a valid service: it has no protocol "
            "(write 'tcp/443' or 'udp/443')"
        ],
    ),
    "a range of ports that runs backwards": (
        "rules:\n  - from: any\n    to: any\n    allow: tcp/90-80\n",
        ["policy/shop.yml:4:12: 'tcp/90-80' is a range that ends before it begins (write 'tcp/80-90')"],
    ),
    "a port too large": (
        "rules:\n  - from: any\n    to: any\n    allow: udp/70000\n",
        [
            "policy/shop.yml:4:12: 'udp/70000' names no port or range of ports from 0 to 65535 "
            "(write 'udp/80' or 'udp/8000-8010')"
        ],
    ),
    "an unknown tier": (
        f"tier: gardrail\n{RULE}",
        ["policy/shop.yml:1:7: no tier is named 'gardrail' (did you mean 'guardrail'?)"],
    ),
    "an unknown mode": (
        "enforce:\n  - where: any\n    mode: fulll\n",
        ["policy/shop.yml:3:11: 'mode' cannot be the word 'fulll' (did you mean 'full'?)"],
    ),
    "an unknown mode of one direction": (
        "enforce:\n  - where: any\n    mode: {inbound: obsrve}\n",
        ["policy/shop.yml:3:21: 'inbound' cannot be the word 'obsrve' (did you mean 'observe'?)"],
    ),
    "an unknown list": (
        "lists: {offices: [10.0.0.0/8]}\nrules:\n  - from: {list: ofices}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:3:18: no list is named 'ofices' (did you mean 'offices'?)"],
    ),
    "an unknown selector": (
        "rules:\n  - from: {selector: shop}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:22: no selector is named 'shop' (define it: 'selectors: {shop: …}')"],
    ),
    "an unknown word for a selector": (
        "rules:\n  - from: intrenet\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:11: 'intrenet' is not a valid selector (did you mean 'internet'?)"],
    ),
    "host bits in a network": (
        "rules:\n  - from: {cidr: 10.1.2.3/8}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:18: '10.1.2.3/8' has host bits set (did you mean '10.0.0.0/8'?)"],
    ),
    "no network at all": (
        "rules:\n  - from: {cidr: 10.300.0.0/8}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:18: '10.300.0.0/8' is not a valid address, network or range "
            "(each of the four numbers of an IPv4 address is from 0 to 255)"
        ],
    ),
    "a priority in words": (
        "rules:\n  - from: any\n    to: any\n    allow: any\n    priority: high\n",
        ["policy/shop.yml:5:15: 'priority' is a whole number, not the word 'high' (write digits, without quotes)"],
    ),
    "a truth value in words": (
        "rules:\n  - from: any\n    to: any\n    allow: any\n    log: yes\n",
        ["policy/shop.yml:5:10: 'log' is true or false, not the word 'yes' (write true or false, without quotes)"],
    ),
    "two actions in one rule": (
        "rules:\n  - from: any\n    to: any\n    allow: tcp/80\n    deny: tcp/81\n",
        ["policy/shop.yml:5:5: a rule has one action, this one has 'allow' and 'deny' (make two rules of it)"],
    ),
    "no action at all": (
        "rules:\n  - from: any\n    to: any\n",
        ["policy/shop.yml:2:5: a rule needs an action (add one of 'allow:', 'deny:', 'pass:')"],
    ),
    "no one to come from": (
        "rules:\n  - to: any\n    allow: any\n",
        ["policy/shop.yml:2:5: a rule needs 'from' (add 'from:')"],
    ),
    "an action without services": (
        "rules:\n  - from: any\n    to: any\n    deny:\n",
        ["policy/shop.yml:4:5: 'deny' has no value (write one, or leave the key out)"],
    ),
    "a process inside a selector": (
        "rules:\n  - from: {all: [{role: web, process: {unit: a.service}}]}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:30: 'process' cannot stand inside a selector "
            "(it stands in 'from' or 'to', beside the labels)"
        ],
    ),
    "a process in the scope": (
        f"scope: {{app: shop, process: {{unit: a.service}}}}\n{RULE}",
        [
            "policy/shop.yml:1:20: 'process' cannot stand inside a selector "
            "(it stands in 'from' or 'to', beside the labels)"
        ],
    ),
    "a user who listens": (
        "rules:\n  - from: any\n    to: {role: db, process: {user: postgres}}\n    allow: any\n",
        [
            "policy/shop.yml:3:30: a user cannot be matched in 'to': the kernel knows the user of what a host sends, "
            "not of who listens (name the unit that listens: {unit: name.service})"
        ],
    ),
    "a unit without its type": (
        "rules:\n  - from: {role: db, process: {unit: postgresql}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:38: 'postgresql' names no unit (did you mean 'postgresql.service'?)"],
    ),
    "a shell command for a unit": (
        "rules:\n  - from: {role: db, process: {unit: $(reboot).service}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:38: '$(reboot).service' names no unit (write a unit's whole name: 'name.service')"],
    ),
    "a slice for a unit": (
        "rules:\n  - from: {role: db, process: {unit: web.slice}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'web.slice' cannot be followed when it starts again "
            "(a slice has no start of its own that could be followed: name its services)"
        ],
    ),
    "a scope for a unit": (
        "rules:\n  - from: {role: db, process: {unit: run-u7.scope}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'run-u7.scope' cannot be followed when it starts again "
            "(a scope is made by a program and has no start that could be followed: name a service, or a user)"
        ],
    ),
    "a socket for a unit": (
        "rules:\n  - from: {role: db, process: {unit: sshd.socket}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'sshd.socket' cannot be followed when it starts again "
            "(the listener that it opens is found by its service: name that)"
        ],
    ),
    "a timer for a unit": (
        "rules:\n  - from: {role: db, process: {unit: backup.timer}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'backup.timer' cannot be followed when it starts again "
            "(a timer is not a process: name the service that it starts)"
        ],
    ),
    "a mount for a unit": (
        "rules:\n  - from: {role: db, process: {unit: srv-data.mount}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'srv-data.mount' cannot be followed when it starts again "
            "(a mount has no start that could be followed, and no process that speaks)"
        ],
    ),
    "a template for a unit": (
        "rules:\n  - from: {role: db, process: {unit: worker@.service}}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:38: 'worker@.service' cannot be followed when it starts again "
            "(a template runs nothing itself: name an instance, 'worker@INSTANCE.service')"
        ],
    ),
    "a specifier in a unit": (
        "rules:\n  - from: {role: db, process: {unit: a%i.service}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:38: 'a%i.service' names no unit (write a unit's whole name: 'name.service')"],
    ),
    "an unknown kind of process": (
        "rules:\n  - from: {role: db, process: {unti: a.service}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:32: 'unti' is not a kind of process (did you mean 'unit'?)"],
    ),
    "a process of two systems": (
        "rules:\n  - from: {role: db, process: {unit: a.service, program: 'C:\\a.exe'}}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:31: a process is on Linux (unit, user) or on Windows (program, service) (write two peers)"],
    ),
    "a listener for what nobody listens to": (
        "rules:\n  - from: any\n    to: {role: db, process: {unit: a.service}}\n    allow: ping\n",
        [
            "policy/shop.yml:4:12: no process listens for this service, so none can be named in 'to' "
            "(leave 'process' out, or name TCP, UDP or SCTP ports)"
        ],
    ),
    "a scope of addresses": (
        f"scope: {{cidr: 10.0.0.0/8}}\n{RULE}",
        ["policy/shop.yml:1:8: a scope chooses assets by label, not addresses (write it like {app: shop})"],
    ),
    "a scope for nothing": (
        "scope: {app: shop}\nenforce: []\n",
        [
            "policy/shop.yml:1:1: 'scope' speaks for rules, and this document has none "
            "(give this document 'rules', or leave it out)"
        ],
    ),
    "a scope on a peer that is not none": (
        "rules:\n  - from: {role: web, scope: any}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:23: beside a selector, scope can only be 'none' (write 'scope: none')"],
    ),
    "a DNS name that connects": (
        "rules:\n  - from: {fqdn: api.example.org}\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:11: 'api.example.org' cannot stand in 'from': who connects is known by address, "
            "not by a name (write its networks: {cidr: …})"
        ],
    ),
    "a DNS name under not": (
        "rules:\n  - from: any\n    to: {not: {fqdn: api.example.org}}\n    deny: any\n",
        [
            "policy/shop.yml:3:9: 'api.example.org' cannot stand under 'not': what it resolves to is not known "
            "beforehand (give it a rule of its own with a smaller priority, pass or deny, and leave it out here)"
        ],
    ),
    "a DNS name with a wildcard": (
        "rules:\n  - from: any\n    to: {fqdn: '*.example.org'}\n    allow: any\n",
        ["policy/shop.yml:3:16: '*.example.org' holds a wildcard, which no resolver answers (name each host)"],
    ),
    "labels beside a network": (
        "rules:\n  - from: {cidr: 10.0.0.0/8, role: web}\n    to: any\n    allow: any\n",
        ["policy/shop.yml:2:30: 'role' cannot stand beside 'cidr' (and them: {all: [{…}, {…}]})"],
    ),
    "a side that is none": (
        "rules:\n  - from: any\n    to: any\n    allow: any\n    at: form\n",
        ["policy/shop.yml:5:9: 'at' cannot be the word 'form' (did you mean 'from'?)"],
    ),
    "an expectation that is none": (
        "tests:\n  - from: any\n    to: any\n    service: any\n    expect: denied\n",
        ["policy/shop.yml:5:13: 'expect' cannot be the word 'denied' (did you mean 'deny'?)"],
    ),
    "a test without a service": (
        "tests:\n  - from: any\n    to: any\n    expect: deny\n",
        ["policy/shop.yml:2:5: a test needs 'service' (add 'service:', tcp/443 for instance, or any)"],
    ),
    "a mapping of rules": (
        "rules: {from: any}\n",
        ["policy/shop.yml:1:8: 'rules' is a list, not a mapping (write it as '- …' lines)"],
    ),
    "a list for a document": (
        "- from: any\n",
        [
            "policy/shop.yml:1:1: a policy document is a mapping, not a list (its keys are 'scope', 'tier', "
            "'priority', 'rules', 'enforce', 'tests', 'invariants', 'selectors', 'services', 'lists')"
        ],
    ),
    "a workload mode for addresses outside": (
        "enforce:\n  - where: internet\n    mode: full\n",
        ["policy/shop.yml:2:12: 'internet' chooses no workload (write labels, or any)"],
    ),
    "a definition by itself": (
        "selectors:\n  a: {not: {selector: b}}\n  b: {selector: a}\n",
        [
            "policy/shop.yml:3:17: the selector 'a' is defined by itself (name labels instead)",
        ],
    ),
    "a service defined by itself": (
        "services: {a: [tcp/80, a]}\n",
        ["policy/shop.yml:1:24: the service 'a' is defined by itself (name protocols and ports)"],
    ),
    "a service named like a protocol": (
        "services: {tcp: tcp/80}\n",
        [
            "policy/shop.yml:1:12: 'tcp' is not a valid name for a service "
            "(a letter or '_', then letters, digits and any of _ . -; and no word of the grammar)"
        ],
    ),
    "a tag": (
        "rules: !python/object []\n",
        ["policy/shop.yml:1:8: the tag '!python/object' has no meaning here (leave it out)"],
    ),
    "an alias without its anchor": (
        "rules: *nowhere\n",
        [
            "policy/shop.yml:1:1: 'rules' has no value (write one, or leave the key out)",
            "policy/shop.yml:1:8: the alias '*nowhere' names no anchor before it (write the value out)",
        ],
    ),
    "a line break in a name": (
        "rules:\n  - name: |\n      web\n    from: any\n    to: any\n    allow: any\n",
        [
            "policy/shop.yml:2:11: a word with the character '\\n' (write it in one line, without control characters)",
        ],
    ),
    "a terminal's escape in a label": (
        'rules:\n  - from: {role: "\\e[2J"}\n    to: any\n    allow: any\n',
        [
            "policy/shop.yml:2:18: a word with the character '\\x1b' "
            "(write it in one line, without control characters)",
        ],
    ),
    "a number for a key": (
        "services:\n  80: tcp/80\n",
        ['policy/shop.yml:2:3: the key 80 is not a word (write "80": in quotes)'],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_with_its_place_and_the_way_out(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    found = [f"{place}: {message} ({remedy})" for place, message, remedy in errors_of(tmp_path, text)]
    assert found == expected


def test_all_errors_of_all_files_come_together_in_the_order_of_their_places(tmp_path: Path) -> None:
    one = "rules:\n  - from: {role: 1}\n    to: nobody\n    allow: tcp\n    priority: x\n"
    two = "tier: nowhere\nrules: []\n"
    places = [place for place, _, _ in errors_of(tmp_path, one, two)]
    assert places == ["policy/shop.yml:2:18", "policy/shop.yml:3:9", "policy/shop.yml:5:15", "policy/shop1.yml:1:7"]


def test_a_definition_in_two_files_names_the_other_place(tmp_path: Path) -> None:
    text = "lists: {office: [10.0.0.0/8]}\n"
    assert errors_of(tmp_path, text, text) == [
        ("policy/shop1.yml:1:9", "the list 'office' is defined twice", "first in policy/shop.yml:1:9: remove one")
    ]

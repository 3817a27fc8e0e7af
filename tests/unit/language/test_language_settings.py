"""`ringfence.yml`: every setting has a default, and every fault its place."""

from pathlib import Path

import pytest
from ringfence.language import load_settings
from ringfence.model.assets import Control
from ringfence.model.errors import InputErrors
from ringfence.model.identity import DEFAULT_KEYS
from ringfence.model.rules import Settings
from ringfence.model.selectors import LabelIn

from tests.unit.language.policy_text import written


def settings_of(directory: Path, text: str) -> Settings:
    return load_settings(written(directory, text, "ringfence.yml"), directory)


def faults_of(directory: Path, text: str) -> list[str]:
    with pytest.raises(InputErrors) as caught:
        settings_of(directory, text)
    return [str(error) for error in caught.value.errors]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "control: {from: 10.0.0.0/8}\n"])
def test_what_is_not_said_has_its_default(text: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, text)
    assert settings.tiers == ("emergency", "guardrail", "application", "baseline")
    assert (settings.valid_days, settings.waves) == (7, (1, 10))


def test_a_workspace_without_the_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "ringfence.yml") == Settings()


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = """
        control: {from: [10.0.0.0/8, "fd00::/8"], port: 2222}
        realms:
          vpc-a: {sees: [default, vpc-b]}
          vpc-b:
        private: [10.0.0.0/8]
        tiers: [first, application]
        waves: [2, 20, 200]
        valid_days: 1
        """
    assert settings_of(tmp_path, text) == Settings(
        control=Control(("10.0.0.0/8", "fd00::/8"), 2222),
        realms={"vpc-a": ("default", "vpc-b"), "vpc-b": ()},
        private=("10.0.0.0/8",),
        tiers=("emergency", "first", "application"),
        waves=(2, 20, 200),
        valid_days=1,
    )


def test_waves_may_say_their_sizes_and_who_may_be_the_canary(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "waves: {sizes: [2, 20], canary: {env: [dev, stage]}}\n")
    assert (settings.waves, settings.canary) == ((2, 20), LabelIn("env", ("dev", "stage")))
    assert settings_of(tmp_path, "waves: {canary: {env: dev}}\n").waves == (1, 10)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("waves: {canary: {env: 1}}\n", "ringfence.yml:1:23: the value of label 'env' is the number 1"),
        ("waves: {canary: internet}\n", "'internet' chooses no workload"),
        ("waves: {canary: dev}\n", "'dev' is not a valid selector"),
        ("waves: {canery: {env: dev}}\n", "did you mean 'canary'?"),
        ("waves: {sizes: []}\n", "'sizes' is empty"),
        ("waves: {sizes: [0]}\n", "ringfence.yml:1:17"),
        ("waves: 3\n", "'waves' is a list, not the number 3"),
        ("waves: []\n", "'waves' is empty"),
        ("waves:\n", "'waves' has no value"),
    ],
)
def test_what_is_wrong_with_waves_is_told_at_its_place(text: str, fault: str, tmp_path: Path) -> None:
    assert any(fault in one for one in faults_of(tmp_path, text))


def test_keys_of_identity_stand_by_strength_and_keep_their_defaults(tmp_path: Path) -> None:
    text = """
        identity:
          keys: {fqdn: onprem.Host, serial: [onprem.Serial, facts.serial], mac: false, uuid: true}
          prefer: [aws]
          same: [[a, b]]
          different: [[c, d, e]]
        """
    found = settings_of(tmp_path, text).identity
    assert [key.name for key in found.keys] == ["uuid", "serial", "fqdn", "address"]
    assert found.keys[0] == DEFAULT_KEYS[0]
    assert [key.expressions for key in found.keys[1:]] == [("onprem.Serial", "facts.serial"), ("onprem.Host",), ()]
    assert (found.prefer, found.same, found.different) == (("aws",), (("a", "b"),), (("c", "d", "e"),))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{kesy: {}}", "1:12: 'kesy' is not a key of 'identity' (did you mean 'keys'?)"),
        ("{keys: {uuid: 'a['}}", "1:25: this is not valid JMESPath"),
        ("{keys: {address: onprem.IP}}", "1:28: 'address' is true or false: its values are the addresses of an asset"),
        ("{keys: {serial: true}}", "1:27: 'serial' does not say where its values are"),
        ("{keys: {Serial No: a}}", "1:19: 'Serial No' is not a valid name for a key"),
        ("{keys: {mac: 7}}", "1:24: expressions are words, not the number 7"),
        ("{same: [[a]]}", "1:19: these are not two hosts"),
        ("{same: [a]}", "1:19: an item of 'same' is a list"),
        ("[]", "1:11: 'identity' is a mapping, not a list"),
    ],
)
def test_a_fault_in_identity_is_told_with_its_place(text: str, fault: str, tmp_path: Path) -> None:
    assert faults_of(tmp_path, f"identity: {text}\n")[0].startswith(f"ringfence.yml:{fault}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("contorl: {}\n", "ringfence.yml:1:1: 'contorl' is not a key of the settings (did you mean 'control'?)"),
        ("control: {port: 22}\n", "ringfence.yml:1:10: 'control' needs 'from' (add 'from:')"),
        (
            "control: {from: 10.0.0.0/8, prot: 22}\n",
            "ringfence.yml:1:29: 'prot' is not a key of 'control' (did you mean 'port'?)",
        ),
        (
            "control: {from: 10.0.0.0/8, port: 0}\n",
            "ringfence.yml:1:35: 'port' cannot be the number 0 (it must be greater than or equal to 1)",
        ),
        (
            "control: {from: 10.0.0.9/8}\n",
            "ringfence.yml:1:17: '10.0.0.9/8' has host bits set (did you mean '10.0.0.0/8'?)",
        ),
        (
            "realms: {a: {sees: [defualt]}}\n",
            "ringfence.yml:1:21: no realm is named 'defualt' (did you mean 'default'?)",
        ),
        ("tiers: []\n", "ringfence.yml:1:8: 'tiers' is empty (write a value, or leave the key out)"),
        ("tiers: [a, a]\n", "ringfence.yml:1:12: the tier 'a' stands twice (remove one)"),
        (
            "tiers: [a, emergency]\n",
            "ringfence.yml:1:12: 'emergency' decides before all other tiers (put it first, or leave it out)",
        ),
        (
            "waves: [1, ten]\n",
            "ringfence.yml:1:12: an item of 'waves' is a whole number, not the word 'ten' "
            "(write digits, without quotes)",
        ),
        (
            "waves: [1]\n---\nwaves: [2]\n",
            "ringfence.yml:3:1: the settings are one document, and this is a second (remove the '---')",
        ),
        (
            "valid_days: -1\n",
            "ringfence.yml:1:13: 'valid_days' cannot be the number -1 (it must be greater than or equal to 1)",
        ),
        ("[]\n", "ringfence.yml:1:1: the settings is a mapping"),
    ],
)
def test_a_fault_in_the_settings_is_told_with_its_place(text: str, fault: str, tmp_path: Path) -> None:
    (found,) = faults_of(tmp_path, text)
    assert found.startswith(fault)


def test_a_control_path_is_kept_as_networks_however_it_is_written(tmp_path: Path) -> None:
    written_so = "control: {from: [10.200.0.1-10.200.0.9, '::ffff:10.9.0.0/120', 10.9.1.7/32, '2001:DB8::/32']}\n"
    control = settings_of(tmp_path, written_so).control
    assert control is not None
    assert control.networks == (
        *("10.200.0.1", "10.200.0.2/31", "10.200.0.4/30", "10.200.0.8/31"),
        *("10.9.0.0/24", "10.9.1.7", "2001:db8::/32"),
    )


def test_a_control_path_names_no_interface(tmp_path: Path) -> None:
    (found,) = faults_of(tmp_path, "control: {from: 'fe80::1%eth0'}\n")
    assert found == ("ringfence.yml:1:17: 'fe80::1%eth0' names an interface, which no packet carries (write 'fe80::1')")


def test_trusted_networks_are_read_and_wrong_ones_told(tmp_path: Path) -> None:
    path = tmp_path / "ringfence.yml"
    path.write_text('trust: {addresses: [10.9.0.0/16, "fd00::/8"]}\n')
    assert load_settings(path).trusted == ("10.9.0.0/16", "fd00::/8")
    path.write_text("trust: {addresses: [10.9.0.1/16], facts: yes}\n")
    with pytest.raises(InputErrors) as caught:
        load_settings(path)
    said = str(caught.value)
    assert "10.9.0.0/16" in said
    assert "facts" in said

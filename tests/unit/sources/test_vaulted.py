"""What is vaulted in an inventory is told as vaulted, at its file, with the vault password as the way out."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.model.rules import Settings
from ringfence.sources.inventory import survey
from ringfence.sources.surveys import Survey
from ringfence.sources.vaulted import place_of_value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VAULT = str(Path(sys.executable).parent / "ansible-vault")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "right").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE", raising=False)
    return tmp_path


def vaulted(root: Path, text: str, indent: int) -> str:
    """Return a text as a vaulted value of YAML."""
    command = [VAULT, "encrypt_string", "--vault-password-file", str(root / "right")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=root)
    lines = done.stdout.strip().splitlines()
    return "\n".join([lines[0], *(" " * indent + line.strip() for line in lines[1:])])


def surveyed(root: Path) -> Survey:
    return survey([Path("inventory")], [], Settings(), now=NOW, directory=root, facts={})


def test_a_vaulted_way_to_a_host_is_told_as_vaulted_and_its_name_is_not_taken_for_its_address(root: Path) -> None:
    host = "all:\n  hosts:\n    localhost.localdomain:\n"
    for variable, value in (("ansible_host", "10.0.0.1"), ("ansible_port", "2222"), ("ansible_connection", "winrm")):
        host += f"      {variable}: {vaulted(root, value, 8)}\n"
    (root / "inventory" / "10.yml").write_text(host)
    found = surveyed(root)
    for variable in ("ansible_host", "ansible_port", "ansible_connection"):
        said = f"{variable} of host 'localhost.localdomain' is vaulted"
        (problem,) = [one for one in found.problems if one.message.startswith(said)]
        line = host[: host.index(variable)].count("\n") + 1
        assert problem.place == Place("inventory/10.yml", line)
    assert found.snapshot.assets[0].addresses == ()


def test_a_value_that_several_files_vault_has_no_place_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    text = "ansible_host: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n"
    for name in ("web.yml", "db.yml"):
        assert place_of_value("ansible_host", [Path("hosts")], tmp_path) in (None, Place("group_vars/web.yml", 1))
        (tmp_path / "group_vars" / name).write_text(text)
    assert place_of_value("ansible_host", [Path("hosts")], tmp_path) is None


def test_vaulted_labels_cost_those_labels_and_vaulted_addresses_are_an_error_that_says_so(root: Path) -> None:
    one = vaulted(root, "web", 10)
    (root / "inventory" / "10.yml").write_text(
        f"all:\n  hosts:\n    web-1:\n      ringfence_labels:\n        role: {one}\n        env: prod\n"
    )
    found = surveyed(root)
    assert any("gives 'role' a vaulted value" in problem.message for problem in found.problems)
    assert found.snapshot.assets[0].label_values() == {"env": "prod"}
    (root / "inventory" / "10.yml").write_text(
        f"all:\n  hosts:\n    web-1:\n      ringfence_addresses: {vaulted(root, '10.0.0.1', 8)}\n"
    )
    with pytest.raises(InputErrors, match="ringfence_addresses of host 'web-1' is vaulted"):
        surveyed(root)


@pytest.mark.parametrize("password", [None, "wrong", "missing"])
def test_a_vault_that_cannot_be_opened_is_told_at_its_own_file_with_the_password_as_the_way_out(
    root: Path, monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    (root / "inventory" / "10.ini").write_text("web-1 ansible_host=10.0.0.1\n")
    (root / "inventory" / "90-labels.yml").write_text("plugin: ringfence.core.labels\n")
    (root / "labels.yml").write_text("labels: []\n")
    secret = root / "inventory" / "group_vars" / "all" / "secret.yml"
    secret.parent.mkdir(parents=True)
    secret.write_text("token: x\n")
    subprocess.run([VAULT, "encrypt", "--vault-password-file", str(root / "right"), str(secret)], check=True)
    if password:
        monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(root / password))
    with pytest.raises(InputError) as caught:
        surveyed(root)
    assert str(caught.value.place) == "inventory/group_vars/all/secret.yml:1"
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in (caught.value.remedy or "")


def test_a_vaulted_file_of_the_workspace_is_told_and_not_a_single_value_that_stays_closed_anyway(root: Path) -> None:
    (root / "inventory" / "10.yml").write_text(
        f"all:\n  hosts:\n    web-1:\n      ansible_host: {vaulted(root, '10.0.0.1', 8)}\n"
    )
    secret = root / "group_vars" / "all.yml"
    secret.parent.mkdir()
    secret.write_text("token: x\n")
    subprocess.run([VAULT, "encrypt", "--vault-password-file", str(root / "right"), str(secret)], check=True)
    with pytest.raises(InputError) as caught:
        surveyed(root)
    assert str(caught.value.place) == "group_vars/all.yml:1"

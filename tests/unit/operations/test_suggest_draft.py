"""Rules written into a copy of the policy: into the right file and document, and never over somebody else's change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.suggest_draft import Draft, Fence
from ringfence.suggest.cover import Choice, Service
from ringfence.suggest.rules import Evidence, Offered
from ruamel.yaml import YAML

from tests.unit.cli_shop import FILES, shop

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def offered(source: Choice, destination: Choice, port: int, kind: str = "") -> Offered:
    return Offered(
        (source,), (destination,), (Service(6, port, port),), (), Evidence(1, 1, 1, 1, 1, NOW, NOW), kind=kind
    )


def role(name: str, app: str = "shop") -> Choice:
    return Choice((("app", app), ("role", name)))


def draft(workspace: Path) -> Draft:
    return Draft(Estate(workspace), workspace.parent / "draft")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return shop(tmp_path / "shop")


def test_a_rule_comes_behind_those_of_its_application_and_the_rest_stays(workspace: Path) -> None:
    made = draft(workspace)

    made.write([offered(role("web"), role("db"), 22), offered(role("crm", "crm"), role("api"), 8443)])

    ((name, (before, after)),) = made.changed().items()
    assert (name, before) == ("policy/shop.yml", FILES["policy/shop.yml"])
    head, rest = before.split("---\n")
    assert after.startswith(head)
    assert after.endswith(f"---\n{rest}")
    assert "  - name: web to db\n    from: {role: web}\n    to: {role: db}\n    allow: ssh\n" in after
    assert "    from: {app: crm, role: crm, scope: none}\n    to: {role: api}\n" in after


def test_new_rulesets_get_a_document_with_their_head(workspace: Path) -> None:
    made = draft(workspace)

    made.write(
        [
            offered(Choice(), role("dns", "ops"), 53, kind="DNS"),
            offered(role("a", "crm"), role("b", "crm"), 1),
            offered(Choice(asset="old"), Choice(peer="internet"), 443),
        ],
        Fence("shop", {"app": "shop"}),
    )

    texts = {name: after for name, (_, after) in made.changed().items()}
    assert list(texts) == ["policy/00-fence-shop.yml", "policy/baseline.yml", "policy/crm.yml", "policy/suggested.yml"]
    assert texts["policy/baseline.yml"].startswith("tier: baseline\nrules:\n  - name: DNS\n    from: {}\n")
    assert texts["policy/crm.yml"].startswith("scope: {app: crm}\nrules:\n  - name: a to b\n")
    assert "to: internet" in texts["policy/suggested.yml"]
    assert "--- /dev/null\n+++ b/policy/crm.yml\n" in made.difference()


def test_names_are_given_once_a_file(workspace: Path) -> None:
    made = draft(workspace)
    rules = [offered(role("web"), role("api"), port) for port in (8443, 9443)]

    made.write(rules)

    assert [made.names[one.id] for one in rules] == ["web to api, tcp/8443", "web to api, tcp/9443"]


def test_a_file_that_was_changed_meanwhile_is_left_alone(workspace: Path) -> None:
    made = draft(workspace)
    made.write([offered(role("web"), role("db"), 22), offered(role("a", "crm"), role("b", "crm"), 1)])
    path = workspace / "policy/shop.yml"
    path.write_text(path.read_text() + "# somebody else\n")

    with pytest.raises(InputError, match="changed meanwhile"):
        made.apply()

    assert path.read_text().endswith("# somebody else\n")
    assert not (workspace / "policy/crm.yml").exists()


def test_a_link_is_written_through_and_stays(workspace: Path) -> None:
    shared = workspace.parent / "shared.yml"
    (workspace / "policy/shop.yml").replace(shared)
    (workspace / "policy/shop.yml").symlink_to(shared)
    made = draft(workspace)
    made.write([offered(role("web"), role("db"), 22)])

    made.apply()

    assert (workspace / "policy/shop.yml").is_symlink()
    assert "web to db" in shared.read_text()


def test_a_name_with_lines_of_its_own_adds_nothing_to_a_fence() -> None:
    name = "shop\nrules: [{from: any, to: any, allow: any}]\u2028\x85#{{ 1 }}"
    (document,) = YAML(typ="safe").load_all(Fence(name, {"app": name}).text())
    assert document == {"enforce": [{"where": {"app": name}, "mode": "full"}]}


def test_no_two_applications_share_a_fence() -> None:
    names = ["shop", "a b", "a-b", "a/b", "ü", "ö"]
    assert len({Fence(name, {"app": name}).file for name in names}) == len(names)
    assert Fence("shop", {}).file == "policy/00-fence-shop.yml"

"""`ringfence suggest` as a person uses it: read, reject, write, and be asked nothing twice."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

POLICY = """\
# The shop: what people agreed on.
scope: {app: shop}
rules:
  # never without the team's word
  - name: web to api
    from: {role: web}
    to: {role: api}
    allow: tcp/8443
"""
HEAD = "client,server,port,protocol,connections,first_seen,outcome\n"


def flows() -> str:
    """Return a week: web to api (allowed), api to db, a report that reads the database, and a refused attempt."""
    rows = [
        f"{client},{server},{port},tcp,3,2026-11-{day}T06:00:00Z,{outcome}\n"
        for day in range(17, 24)
        for client, server, port, outcome in (
            ("10.0.1.1", "10.0.1.3", 8443, "answered"),
            ("10.0.1.3", "10.0.1.4", 5432, "answered"),
            ("10.0.1.2", "10.0.1.4", 5432, "answered"),
            ("10.0.1.1", "10.0.1.4", 22, "refused"),
        )
    ]
    return HEAD + "".join(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose inventory was asked once."""
    changed = {"policy/shop.yml": POLICY, "flows.csv": flows()}
    directory = shop(tmp_path_factory.mktemp("shop"), changed)
    assert ringfence(directory, "check").exit_code == 0
    return directory


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "shop"))


def suggest(directory: Path, *words: str, status: int = 0) -> dict[str, object]:
    """Return what is suggested for the flows of the shop."""
    found = data(directory, "suggest", "--flows", str(directory / "flows.csv"), *words, status=status)
    assert isinstance(found, dict)
    return found


def test_a_person_reads_evidence_reach_and_difference(workspace: Path) -> None:
    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"))

    assert shown.exit_code == 0, shown.output
    for words in (
        "api to db",
        "from {app: shop, role: api} to {app: shop, role: db}",
        "beyond: nothing, every pair was seen",
        "refused when it was tried",
        "one rule per observed pair",
        "+++ b/policy/shop.yml",
        "breaks the invariant 'the database is reached by the api only'",
    ):
        assert words in shown.output, shown.output
    assert (workspace / "policy/shop.yml").read_text() == POLICY


def test_what_breaks_an_invariant_is_not_written_and_says_which(workspace: Path) -> None:
    found = suggest(workspace, "--write", status=1)

    assert found["written"] == []
    (broken,) = found["effect"]["breaks"]  # type: ignore[index]
    (cause,) = broken["suggestions"]
    wrong = next(one for one in found["suggestions"] if one["id"] == cause)  # type: ignore[attr-defined]
    assert wrong["from"] == {"app": "shop", "role": "web"}
    assert (workspace / "policy/shop.yml").read_text() == POLICY


def test_what_is_written_keeps_comments_and_is_not_suggested_again(workspace: Path) -> None:
    rejected = next(
        one["id"]
        for one in suggest(workspace)["suggestions"]  # type: ignore[attr-defined]
        if one["from"] == {"app": "shop", "role": "web"}
    )
    told = ringfence(
        workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--reject", rejected, "--because", "a report"
    )
    assert told.exit_code == 0, told.output
    assert re.search(rf"'.* to .*' \({rejected}\) is rejected", told.output)

    written = suggest(workspace, "--write")
    again = suggest(workspace)

    text = (workspace / "policy/shop.yml").read_text()
    assert written["written"] == ["policy/shop.yml"]
    assert text.startswith(POLICY)
    assert "  - name: api to db\n    from: {role: api}\n    to: {role: db}\n    allow: postgresql\n" in text
    assert again["suggestions"] == []
    assert {one["why"] for one in again["kept_out"]} == {"rejected: a report", "refused when it was tried"}  # type: ignore[attr-defined]
    assert ringfence(workspace, "check").exit_code == 0


def test_a_rejection_says_why_and_stays_in_a_file_of_its_own(workspace: Path) -> None:
    words = ("suggest", "--flows", str(workspace / "flows.csv"), "--reject", "1")

    assert ringfence(workspace, *words).exit_code == 2
    assert ringfence(workspace, *words, "--because", "not now").exit_code == 0
    assert "because: not now" in (workspace / "suggestions.yml").read_text()
    assert len(suggest(workspace)["suggestions"]) == 1  # type: ignore[arg-type]


def test_one_application_is_fenced_by_an_entry_that_counts_first(workspace: Path) -> None:
    found = suggest(workspace, "shop")
    fence = found["fence"]
    assert isinstance(fence, dict)

    written = suggest(workspace, "shop", "--only", fence["id"], "--write")

    assert written["written"] == ["policy/00-fence-shop.yml"]
    assert "where: {app: shop}\n    mode: full" in (workspace / "policy/00-fence-shop.yml").read_text()
    assert suggest(workspace, "shop")["fence"] is None


def test_an_id_means_the_same_suggestion_after_another_was_written(workspace: Path) -> None:
    first, second = (one["id"] for one in suggest(workspace)["suggestions"])  # type: ignore[attr-defined]
    good, wrong = sorted((first, second), key=lambda one: one in str(suggest(workspace)["effect"]))
    assert suggest(workspace, "--only", good[:4], "--write")["written"] == ["policy/shop.yml"]

    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--only", wrong).output
    assert f"{wrong}  web to db" in shown
    assert f"suggestion {wrong} breaks the invariant" in shown
    gone = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--only", good)
    assert gone.exit_code == 2
    assert "what was written or rejected is not suggested again" in gone.output


def test_the_positions_of_the_dial_that_suggest_the_same_are_named(workspace: Path) -> None:
    assert suggest(workspace, "--dial", "0.3")["same_as"] == ["balanced", "wide"]
    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--dial", "0.3").output
    assert "the dial at balanced or wide suggests the same rules" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("--only", "17"),
        ("--dial", "7"),
        ("--dial", "loose"),
        ("nosuchapp",),
        ("--key", "rack"),
        ("--days", "3", "--since", "1d"),
    ],
)
def test_what_cannot_be_asked_is_an_error_and_writes_nothing(workspace: Path, words: tuple[str, ...]) -> None:
    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--write", *words)

    assert shown.exit_code == 2, shown.output
    assert (workspace / "policy/shop.yml").read_text() == POLICY


def test_without_flows_it_says_so(workspace: Path) -> None:
    (workspace / "flows.csv").write_text(HEAD)

    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"))

    assert shown.exit_code == 0
    assert "nothing to suggest: no flow was seen" in shown.output
    labels = ringfence(workspace, "labels", "suggest", "--flows", str(workspace / "flows.csv")).output
    assert "0 suggestions\n" in labels


def test_names_of_hosts_reach_no_terminal_and_no_file_as_they_are(workspace: Path) -> None:
    evil = FILES["inventory/hosts.yml"].replace("web-2: {", 'web-2: {ringfence_labels: {app: "a\\e[31m\\nb"}, ')
    (workspace / "inventory/hosts.yml").write_text(evil)

    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"))
    found = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--json")

    assert "\x1b" not in shown.output
    assert isinstance(json.loads(found.stdout)["suggestions"], list)


def test_a_read_only_file_of_the_policy_stays_as_it_is(workspace: Path) -> None:
    good = next(one["id"] for one in suggest(workspace)["suggestions"] if "api" in str(one["from"]))  # type: ignore[attr-defined]
    (workspace / "policy/shop.yml").chmod(0o444)
    shown = ringfence(workspace, "suggest", "--flows", str(workspace / "flows.csv"), "--only", good, "--write")
    assert shown.exit_code == 2
    assert "policy/shop.yml: error: this file, or its directory, is read-only: nothing is written" in shown.output
    assert (workspace / "policy/shop.yml").read_text() == POLICY

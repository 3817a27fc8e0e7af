"""Permissions that one person asks for and another signs: who may, by which key, for how long."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.allow_for import PermissionRequest, permission_of
from ringfence.operations.request import (
    Asked,
    approve,
    approvers,
    granted,
    request_called,
    request_permission,
    wanted_approvals,
)

from tests.unit.cli_shop import FILES, NOW, ringfence, shop

WANTED = PermissionRequest("2h", "web-2", "db-1", "postgresql", "broken index")
SETTINGS = """\
emergencies:
  allowed_signers: allowed_signers
  approvals:
    - where: {role: db}
      by: [alice]
      second_factor: %s
"""
SK = "sk-dummy.so"
PROVIDERS = ("/usr/lib/openssh", "/usr/lib/openssh/regress/misc/sk-dummy", "/usr/lib/openssh-tests")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def workspace(directory: Path, *, second_factor: bool = False) -> Path:
    return shop(directory, {"ringfence.yml": FILES["ringfence.yml"] + SETTINGS % str(second_factor).lower()})


def key(directory: Path, who: str, *options: str) -> Path:
    """Return a new key whose public half the workspace allows to `who`."""
    path = directory / f"key-{who}"
    kind = options or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(path), *kind], check=True, capture_output=True)
    with (directory / "allowed_signers").open("a") as file:
        file.write(f'{who} namespaces="ringfence-emergency" {path.with_suffix(".pub").read_text()}')
    return path


def asked(directory: Path) -> Asked:
    return request_called(Estate(directory), request_permission(Estate(directory), WANTED).request.id)


def test_what_needs_an_approval_is_given_by_its_signature_alone_and_once(tmp_path: Path) -> None:
    workspace(tmp_path)
    with pytest.raises(InputError, match="when alice approves it"):
        permission_of(Estate(tmp_path), WANTED)
    request = asked(tmp_path)
    with pytest.raises(InputError, match="nobody has approved"):
        granted(Estate(tmp_path), request.request.id)

    assert approve(Estate(tmp_path), request, key(tmp_path, "alice")) == ("alice",)
    order = granted(Estate(tmp_path), request.request.id).order
    assert (order.id, order.why, order.ends - order.since) == (request.request.id, "broken index", 7200)

    from ringfence.estate.emergencies import keep_order

    keep_order(tmp_path, order)
    with pytest.raises(InputError, match="was given already"):
        granted(Estate(tmp_path), request.request.id)


def test_who_may_not_approve_and_who_changes_the_words_is_refused(tmp_path: Path) -> None:
    workspace(tmp_path)
    request = asked(tmp_path)
    with pytest.raises(InputError, match="mallory may not approve this: alice may"):
        approve(Estate(tmp_path), request, key(tmp_path, "mallory"))
    assert not request.signature.exists()

    approve(Estate(tmp_path), request, key(tmp_path, "alice"))
    request.path.write_text(request.path.read_text().replace('"2h"', '"9d"'))
    with pytest.raises(InputError, match="changed after it was signed, or something else was signed"):
        granted(Estate(tmp_path), request.request.id)


def test_a_signature_over_a_plan_approves_nothing(tmp_path: Path) -> None:
    workspace(tmp_path)
    request = asked(tmp_path)
    private = key(tmp_path, "alice")
    sign = ["ssh-keygen", "-Y", "sign", "-n", "ringfence-plan", "-f", str(private), str(request.path)]
    subprocess.run(sign, check=True, capture_output=True)
    with pytest.raises(InputError, match="changed after it was signed, or something else was signed"):
        approvers(Estate(tmp_path), request)


def test_a_request_is_good_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace(tmp_path)
    request = asked(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(request.request.until))
    with pytest.raises(InputError, match="within a day"):
        request_called(Estate(tmp_path), request.request.id)


def test_a_key_that_is_no_hardware_is_no_second_factor(tmp_path: Path) -> None:
    workspace(tmp_path, second_factor=True)
    with pytest.raises(InputError, match="of a key that is no hardware"):
        approve(Estate(tmp_path), asked(tmp_path), key(tmp_path, "alice"))


def hardware(directory: Path) -> Path:
    """Return what stands in for a hardware key; Debian's package of it is unpacked where it is not installed."""
    if not (found := _provider(*PROVIDERS)) and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        directory.mkdir()
        subprocess.run(["apt-get", "download", "-qq", "openssh-tests"], cwd=directory, capture_output=True, check=False)
        for package in directory.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(directory)], check=True)
        found = _provider(str(directory))
    if not found:
        pytest.skip(f"{SK} of Debian's openssh-tests is not installed, and apt-get does not give it")
    return found


def _provider(*places: str) -> Path | None:
    return next((path for one in places for path in Path(one).rglob(SK)), None)


def test_a_key_in_hardware_counts_where_it_asked_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = hardware(tmp_path / "openssh-tests")
    monkeypatch.setenv("SSH_SK_PROVIDER", str(provider))
    workspace(tmp_path, second_factor=True)
    touched = key(tmp_path, "alice", "-t", "ed25519-sk")
    with pytest.raises(InputError, match="asked its owner for none"):
        approve(Estate(tmp_path), asked(tmp_path), touched)
    (tmp_path / "allowed_signers").unlink()
    touched.unlink()
    verified = key(tmp_path, "alice", "-t", "ed25519-sk", "-O", "verify-required")
    assert approve(Estate(tmp_path), asked(tmp_path), verified) == ("alice",)


def test_nobody_signs_what_hosts_would_take_and_the_words_do_not_say(tmp_path: Path) -> None:
    """A host reads the file a line at a time, and the approver is shown its words: both must mean the same."""
    workspace(tmp_path)
    private = key(tmp_path, "alice")
    request = asked(tmp_path)
    written = json.loads(request.path.read_text())
    name, wide = written["id"], {"db-1": ["element permitted in any any any 0.0.0.0/1 128.0.0.0/1"]}
    second = json.dumps(written["hosts"])
    twice = json.dumps(written | {"hosts": wide}, indent=2)[:-2] + f',\n  "hosts": {second}\n}}\n'
    assert json.loads(twice) == written
    others = [written | {"hosts": wide}, written | {"hosts": {}}, written | {"until": written["until"] + 1}]
    others += [written | {"asked": written["asked"] + 400, "until": written["until"] + 400}]
    others += [written | {"asked": 10**20, "until": 10**20}]
    texts = [twice, json.dumps(written), *(json.dumps(other, indent=2) + "\n" for other in others)]
    for text in texts:
        request.path.write_text(text)
        with pytest.raises(InputError, match=r"not a request|others than when|not written as|within a day"):
            approve(Estate(tmp_path), request_called(Estate(tmp_path), name), private)
        assert not request.signature.exists()


def test_addresses_need_the_approval_of_the_entry_that_chooses_them(tmp_path: Path) -> None:
    entries = "".join(
        f"    - where: {{cidr: {one}}}\n      by: [{who}]\n"
        for one, who in (("10.0.1.4/32", "four"), ("fd00::/64", "six"), ("10.9.0.0/16", "nine"))
    )
    rest = "emergencies:\n  allowed_signers: allowed_signers\n  approvals:\n" + entries
    shop(tmp_path, {"ringfence.yml": FILES["ringfence.yml"] + rest})

    def wanted(to: str) -> list[str]:
        estate = Estate(tmp_path)
        given = permission_of(estate, PermissionRequest("2h", "web-2", to, "ssh", "x"), approved=True)
        return [one.by[0] for one in wanted_approvals(estate, given)]

    assert wanted("10.9.1.0/24") == ["nine"]
    assert wanted("db-1") == ["four", "six"]
    assert wanted("10.0.1.4") == ["four"]
    assert wanted("192.0.2.1") == []


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("*", True),
        ("*@elsewhere,al?ce", True),
        ("bob,alice", True),
        ("!alice,*", False),
        ("*,!alice", False),
        ("alice@example.com", False),
        ("!alice", False),
        ("ALICE", False),
    ],
)
def test_principals_of_signers_are_patterns_as_ssh_has_them(tmp_path: Path, line: str, counts: bool) -> None:
    workspace(tmp_path)
    request, private = asked(tmp_path), key(tmp_path, "nobody")
    public = private.with_suffix(".pub").read_text()
    # a line of another namespace before it changes nothing
    lines = [f'alice namespaces="git" {public}', f'{line} namespaces="ringfence-emergency" {public}']
    (tmp_path / "allowed_signers").write_text("".join(lines))
    if counts:
        assert approve(Estate(tmp_path), request, private) == ("alice",)
        return
    with pytest.raises(InputError, match=r"may not approve this: alice may|of no allowed signer"):
        approve(Estate(tmp_path), request, private)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('namespaces="ringfence-emergency",valid-before="20200101"', "key has expired"),
        ('valid-after="20990101Z"', "key is not yet valid"),
        ('namespaces="git"', "key is not permitted for use in signature namespace"),
        ('namespaces="ringfence-emergency" valid-before="20990101"', "invalid key"),
    ],
)
def test_a_line_of_the_signers_that_does_not_hold_is_named_with_its_reason(
    tmp_path: Path, options: str, reason: str
) -> None:
    workspace(tmp_path)
    request, private = asked(tmp_path), key(tmp_path, "nobody")
    (tmp_path / "allowed_signers").write_text(
        f"# who approves\nalice {options} {private.with_suffix('.pub').read_text()}"
    )
    with pytest.raises(InputError, match=reason) as refused:
        approve(Estate(tmp_path), request, private)
    assert refused.value.place is not None
    assert refused.value.place.line == 2
    assert "sign it anew" not in str(refused.value)


def test_a_file_of_signers_that_is_not_there_is_named_and_not_asked_for_again(tmp_path: Path) -> None:
    workspace(tmp_path)
    request = asked(tmp_path)
    signer = key(tmp_path, "alice")
    (tmp_path / "allowed_signers").unlink()
    with pytest.raises(InputError, match=r"^allowed_signers: there is no such file.*write a line for each"):
        approve(Estate(tmp_path), request, signer)


def test_a_request_that_needs_no_approval_says_so(tmp_path: Path) -> None:
    words = ("request", "2h", "web-2", "db-1", "postgresql", "--because", "broken index")
    assert "wants an approval" in ringfence(shop(tmp_path / "free"), *words).output
    assert "wants an approval" not in ringfence(workspace(tmp_path / "guarded"), *words).output


def test_check_says_why_nobody_could_approve(tmp_path: Path) -> None:
    def said() -> str:
        done = ringfence(tmp_path, "check")
        assert done.exit_code == 0, done.output
        return done.output

    text = SETTINGS.replace("allowed_signers: allowed_signers", "allowed_signers: approvers") % "false"
    shop(tmp_path, {"ringfence.yml": FILES["ringfence.yml"] + text})
    signers = tmp_path / "approvers"
    assert "approvers: warning: nobody can approve a permission: No such file" in said()
    signers.write_text("# nobody yet\n")
    assert "names nobody" in said()
    key(tmp_path, "alicia")
    (tmp_path / "allowed_signers").rename(signers)
    assert "alice cannot approve this: approvers has no key of that name" in said()
    key(tmp_path, "alice")
    (tmp_path / "allowed_signers").rename(signers)
    assert "approve" not in said()
    workspace(tmp_path)
    signers.rename(tmp_path / "allowed_signers")
    assert "demands a signature of every plan" in said()

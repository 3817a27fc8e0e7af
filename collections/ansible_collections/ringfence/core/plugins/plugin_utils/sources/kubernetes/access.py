"""Reads a kubeconfig: where clusters are, whom to trust, and who asks; certificates become files as long as needed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import Endpoint

Section = Mapping[str, Any]
_EXEC_SECONDS = 60


class AccessRefused(Exception):
    """A cluster cannot be asked as the kubeconfig says; the message says why."""


class Kubeconfig:
    """One file or several; contexts are the clusters that they know together with who asks.

    Of several files the first that has a name counts, and paths begin at the file that they stand in, as for kubectl.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read files; of several, some may not be there. Raise SourceRefused where one is none, or none is there."""
        there = [path for path in paths if path.exists()] or paths[:1]
        self._files = [(path.parent, _read(path)) for path in there]

    def contexts(self, wanted: Sequence[str]) -> list[str]:
        """Return the contexts to ask: those wanted, or the current one; raise SourceRefused where one is not there."""
        known = self._names("contexts")
        current = next((found["current-context"] for _, found in self._files if found.get("current-context")), "")
        chosen = list(wanted) or [str(current)]
        missing = [name for name in chosen if name not in known]
        if missing:
            raise SourceRefused(
                f"the kubeconfig has no context '{missing[0]}'; there are: {', '.join(known) or 'none'}"
            )
        return chosen

    @contextmanager
    def endpoint(self, context: str, timeout: int) -> Iterator[Endpoint]:
        """Give the endpoint of a context; raise AccessRefused where the kubeconfig does not lead there."""
        _, chosen = self._section("contexts", context, "context")
        cluster_files, cluster = self._section("clusters", str(chosen.get("cluster")), "cluster")
        nobody: tuple[Path, Section] = (cluster_files, {})
        user_files, user = self._section("users", str(chosen["user"]), "user") if chosen.get("user") else nobody
        with TemporaryDirectory(prefix="ringfence-") as directory:
            kept = Path(directory)
            user = {**user, **_credential(user, user_files)}
            token = user.get("token") or _content(user.get("tokenFile"), user_files)
            yield Endpoint(
                url=str(cluster.get("server", "")),
                headers={"Authorization": f"Bearer {token}"} if token else {},
                ca_certs=_file(cluster, "certificate-authority", cluster_files, kept / "ca.pem"),
                client_cert=_file(user, "client-certificate", user_files, kept / "client.pem"),
                client_key=_file(user, "client-key", user_files, kept / "client.key"),
                validate_certs=not cluster.get("insecure-skip-tls-verify"),
                timeout=timeout,
            )

    def _names(self, kind: str) -> list[str]:
        names = [str(one.get("name")) for _, found in self._files for one in _rows(found, kind)]
        return list(dict.fromkeys(names))

    def _section(self, kind: str, name: str, key: str) -> tuple[Path, Section]:
        """Return the first section of a name, and the directory of the file that has it."""
        for directory, found in self._files:
            for one in _rows(found, kind):
                if one.get("name") == name and isinstance(one.get(key), dict):
                    return directory, dict(one[key])
        raise AccessRefused(f"the kubeconfig has no {key} '{name}'")


def _read(path: Path) -> Section:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceRefused(f"the kubeconfig {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceRefused(f"the kubeconfig {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise SourceRefused(f"the kubeconfig {path} is not a mapping")
    return found


def _rows(found: Section, kind: str) -> list[Section]:
    listed = found.get(kind)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _credential(user: Section, directory: Path) -> Section:
    """Return what the command of a user gives (client.authentication.k8s.io), as kubectl would run it."""
    given = user.get("exec")
    if not isinstance(given, dict):
        return {}
    words = [str(given.get("command")), *(str(word) for word in given.get("args") or ())]
    more = {str(one.get("name")): str(one.get("value")) for one in given.get("env") or () if isinstance(one, dict)}
    info = {"apiVersion": given.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    try:
        done = subprocess.run(
            words,
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_EXEC_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AccessRefused(f"'{words[0]}', which gives the credential, failed: {error}") from error
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:200]
        raise AccessRefused(f"'{words[0]}', which gives the credential, ended with status {done.returncode}: {said}")
    try:
        status = json.loads(done.stdout).get("status") or {}
        names = {"clientCertificateData": "client-certificate", "clientKeyData": "client-key"}
        files = {
            f"{name}-data": base64.b64encode(str(status[key]).encode()).decode()
            for key, name in names.items()
            if status.get(key)
        }
    except (ValueError, AttributeError) as error:
        raise AccessRefused(f"'{words[0]}', which gives the credential, printed none: {error}") from error
    return {"token": status.get("token"), **files}


def _file(section: Section, name: str, directory: Path, kept: Path) -> str | None:
    data, path = section.get(f"{name}-data"), section.get(name)
    if data:
        try:
            kept.touch(mode=0o600)
            kept.write_bytes(base64.b64decode(str(data), validate=True))
        except ValueError as error:
            raise AccessRefused(f"'{name}-data' is not valid base64: {error}") from error
        return str(kept)
    return str(directory / str(path)) if path else None


def _content(path: Any, directory: Path) -> str:
    if not path:
        return ""
    try:
        return (directory / str(path)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessRefused(f"the token file {path} cannot be read: {error}") from error

"""What the inventory plugins of sources share: options, the cache, warnings, and hosts that go into the inventory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.ringfence.core.plugins.plugin_utils.harmless import as_variable
from ansible_collections.ringfence.core.plugins.plugin_utils.known_options import KnownOptions
from ansible_collections.ringfence.core.plugins.plugin_utils.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.many_objects import many_objects
from ansible_collections.ringfence.core.plugins.plugin_utils.source_found import Found, SourceRefused

Values = TypeVar("Values")
UNREACHED = "ringfence_unreached"
# Of what the cache keeps; another one is no answer.
_FORM = 2
_CONSTRUCTED = ("compose", "groups", "keyed_groups")
# What does not change the answer, or must not leave a trace in a cache.
_NOT_ASKED = (
    "plugin",
    "strict",
    "use_extra_vars",
    "leading_separator",
    "failures",
    "password",
    "token",
    "token_secret",
)


class SourceInventory(KnownOptions, BaseInventoryPlugin, Constructable, Cacheable):
    """An inventory plugin that asks a source; a subclass says how, and names the fact in which everything else is."""

    FACT = ""
    LIBRARY = Library(None, "")

    @abstractmethod
    def ask(self, path: str) -> Found:
        """Return what the source has, also where parts failed; raise SourceRefused where nothing can be asked."""

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be a configuration of this plugin; its content is checked when it is parsed."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: object, loader: object, path: str, cache: bool = True) -> None:
        """Add hosts, variables and groups; raise AnsibleParserError where nothing at all could be read."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        with many_objects():
            self._fill(path, cache)

    def chosen(self, found: Sequence[tuple[str, Mapping[str, object]]]) -> Sequence[tuple[str, Mapping[str, object]]]:
        """Return the hosts that go into the inventory; what the inventory has already may decide, so none is cached."""
        return found

    def from_options(self, kind: type[Values], **given: object) -> Values:
        """Return a dataclass whose fields are the options of their names, lists as tuples, but those that are given."""
        options = self.option_definitions
        names = [field.name for field in fields(kind) if field.name in options and field.name not in given]
        values = {name: self.get_option(name) for name in names}
        return kind(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}, **given
        )

    def secret(self, option: str) -> str | None:
        """Return an option that may be a template, which a lookup of a vault or the environment is."""
        value = self.get_option(option)
        if isinstance(value, str) and self.templar.is_template(value):
            return str(self.templar.template(value))
        return value

    def asked(self, path: str) -> list[object]:
        """Return what decides the answer: the options of this plugin; a subclass adds the state of files it reads."""
        left_out = (*_NOT_ASKED, *_CONSTRUCTED)
        options = sorted(self.get_options().items())
        return [(name, value) for name, value in options if name not in left_out and not name.startswith("cache")]

    def _fill(self, path: str, cache: bool) -> None:
        found = self._cached(path, cache)
        source = shown_path(path)
        for warning in found["warnings"]:
            self.display.warning(f"{source}: {warning}")
        hosts = self.chosen(found["hosts"])
        for name, variables in hosts:
            self._add(name, variables, source)
        for name, table in found["tables"].items():
            self.inventory.add_group(name)
            self.inventory.set_variable(name, name, as_variable(table))
        if found["unreached"] and hosts:
            # The engine reads this of any host: what only that part of the source knew stands as it was.
            first = hosts[0][0]
            whole = {f"{source}: {part}": why for part, why in found["unreached"].items()}
            known = self.inventory.get_host(first).get_vars().get(UNREACHED)
            self.inventory.set_variable(first, UNREACHED, as_variable({**(known or {}), **whole}))

    def _cached(self, path: str, cache: bool) -> Mapping[str, object]:
        """Return what was found, from the inventory cache where it is on and has it for these options.

        What is not whole is not kept: the next run asks again for what has failed.
        """
        key = self.get_cache_key(path)
        use = self.get_option("cache")
        options = sha256(repr([_FORM, *self.asked(path)]).encode()).hexdigest()
        if use and cache:
            known = self._cache.get(key)
            if known and known.get("options") == options:
                return known
        found = self._asked_now(path)
        self.display.vv(f"{path}: {len(found.hosts)} hosts")
        data = {**found.data(), "options": options}
        if use and found.whole and not found.unreached:
            self._cache[key] = data
        return data

    def _asked_now(self, path: str) -> Found:
        """Return what was found; raise AnsibleParserError where nothing came and some part failed, or none may fail."""
        self.LIBRARY.require(self.NAME)
        try:
            found = self.ask(path)
        except SourceRefused as error:
            raise AnsibleParserError(f"{path}: {error}") from None  # Ansible repeats what causes say
        if found.unreached and not found.hosts:
            reasons = "; ".join(f"{part}: {why}" for part, why in found.unreached.items())
            raise AnsibleParserError(f"{path}: {reasons}")
        if self.get_option("failures") == "fail" and (found.unreached or not found.whole):
            raise AnsibleParserError(f"{path}: " + "; ".join(found.warnings))
        return found

    def _add(self, name: str, variables: Mapping[str, object], source: str) -> None:
        self.inventory.add_host(name)
        host = self.inventory.get_host(name)
        parts = variables.get("ringfence_sources") or []
        sources = [source, *(f"{source}: {part}" for part in parts)]
        for key, value in {**variables, "ringfence_sources": sources}.items():
            # Not through the inventory, which would look at and copy every value once more.
            host.set_variable(key, as_variable(value))
        if not any(self.get_option(option) for option in _CONSTRUCTED):
            return
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), self._known(name), name, strict=strict)
        known = self._known(name)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)

    def _known(self, name: str) -> dict[str, object]:
        """Return what expressions may look at: the fact's fields by their short names, then the host's variables."""
        variables = self.inventory.get_host(name).get_vars()
        return {"tags": {}, **variables.get(self.FACT, {}), **variables}


def shown_path(path: str) -> str:
    """Return a path as people know it: from the directory they are in, where it lies below."""
    whole = Path(path).resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(path)


def file_state(file: Path) -> list[object]:
    """Return what tells whether a file is still what it was, where it is there."""
    try:
        status = file.stat()
    except OSError:
        return [str(file)]
    return [str(file), status.st_mtime_ns, status.st_size]

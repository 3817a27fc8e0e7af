"""What the inventory plugins of sources share: options, the cache, warnings, and hosts that go into the inventory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    TAKEN,
    Found,
    SourceRefused,
    can_be_reached,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.gc_pause import many_objects
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.known_options import KnownOptions
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.names import (
    ADDRESSES,
    GIVEN,
    NAME,
    SOURCES,
    added,
    contradicts,
    given,
    is_bare,
    is_renamed_of,
    other_name,
    place_of,
    tells_nothing,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.unsafe_values import as_variable
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Values = TypeVar("Values", bound="DataclassInstance")
UNREACHED = "ringfence_unreached"
_NAMED = 5
OF_ANSIBLE = "a group has the name, or it is a word of Ansible's"
# Of what the cache keeps; another one is no answer.
_FORM = 3
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
    # Whether a record without address and key is a further word about the host of its name, as rows of tables are.
    SPEAKS_OF_OTHERS = False

    @abstractmethod
    def ask(self, path: str) -> Found:
        """Return what the source has, also where parts failed; raise SourceRefused where nothing can be asked."""

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be a configuration of this plugin; its content is checked when it is parsed."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add hosts, variables and groups; raise AnsibleParserError where nothing at all could be read."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        with many_objects():
            self._fill(path, cache)

    def chosen(self, found: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return the hosts that go into the inventory; what the inventory has already may decide, so none is cached."""
        return found

    def from_options(self, kind: type[Values], **given: Any) -> Values:
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

    def asked(self, path: str) -> list[Any]:
        """Return what decides the answer: the options of this plugin; a subclass adds the state of files it reads."""
        left_out = (*_NOT_ASKED, *_CONSTRUCTED)
        options = sorted(self.get_options().items())
        return [(name, value) for name, value in options if name not in left_out and not name.startswith("cache")]

    def _fill(self, path: str, cache: bool) -> None:
        found = self._cached(path, cache)
        source = shown_path(path)
        for warning in found["warnings"]:
            self.display.warning(f"{source}: {warning}")
        odd: list[str] = []
        names = [self._add(name, variables, source, odd) for name, variables in self._free(found["hosts"], source)]
        if odd:
            self.display.warning(f"{source}: hosts are reached by no such text: {first_few(odd, _NAMED)}")
        for name, table in found["tables"].items():
            self.inventory.add_group(name)
            self.inventory.set_variable(name, name, as_variable(table))
        if found["unreached"] and names:
            # The engine reads this of any host: what only that part of the source knew stands as it was.
            whole = {f"{source}: {part}": why for part, why in found["unreached"].items()}
            known = self.inventory.get_host(names[0]).get_vars().get(UNREACHED)
            self.inventory.set_variable(names[0], UNREACHED, as_variable({**(known or {}), **whole}))

    def _free(self, found: Sequence[tuple[str, Mapping[str, Any]]], source: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return hosts under names that nobody else has; what is taken is told with both places."""
        hosts = self.chosen(found)
        there = self.inventory.hosts
        taken = {name for name, _ in hosts} | there.keys() | self.inventory.groups.keys()
        wished = {wish for host in there.values() if (wish := host.vars.get(NAME))}
        # What this source had under another name, where its file is parsed a second time.
        before: dict[str, list[str]] = {}
        for name, host in there.items():
            if is_renamed_of(host.vars, source):
                before.setdefault(host.vars[NAME], []).append(name)
        free = []
        told: dict[str, list[str]] = {}
        for name, variables in hosts:
            why = self._taken(name, variables, source, wished)
            if why is None:
                free.append((name, variables))
                continue
            wish = str(variables.get(NAME) or name)
            names = before.get(wish)
            other = names.pop(0) if names else other_name(wish, source, taken)
            taken.add(other)
            told.setdefault(why, []).append(f"'{name}' is '{other}' here")
            reached = {} if variables.get("ansible_host") else {"ansible_host": name}
            free.append((other, {**reached, **variables, NAME: wish}))
        for why, renamed in told.items():
            # Another place with the name is usual: the engine tells where the two are not one machine.
            tell = self.display.warning if why == OF_ANSIBLE else self.display.vv
            tell(f"{source}: {why}: {first_few(renamed, _NAMED)}")
        return free

    def _taken(self, name: str, variables: Mapping[str, Any], source: str, wished: Container[Any]) -> str | None:
        """Return by whom a name is taken for another machine; None where this host may have it."""
        if name in TAKEN or name in self.inventory.groups:
            return OF_ANSIBLE
        there = self.inventory.hosts.get(name)
        if there is None:
            return None
        known = there.vars
        place = place_of(known)
        # One file may be parsed twice, as with `-i inventory -i inventory/10-aws.yml`.
        if place == source or is_bare(name, known):
            return None
        if self.SPEAKS_OF_OTHERS and tells_nothing(variables, self.FACT):
            return f"{place} and another have the name" if name in wished or contradicts(known, variables) else None
        return f"{place} has the name"

    def _cached(self, path: str, cache: bool) -> Mapping[str, Any]:
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

    def _add(self, name: str, variables: Mapping[str, Any], source: str, odd: list[str]) -> str:
        """Add a host, or to a host that is there what it lacks; return its name, add what is odd of it to `odd`."""
        parts = variables.get(SOURCES) or []
        own = {**variables, SOURCES: [source, *(f"{source}: {part}" for part in parts)]}
        there = dict(self.inventory.hosts[name].vars) if name in self.inventory.hosts else {}
        of_another = bool(there) and place_of(there) != source
        if of_another:
            own = added(there, own, source)
        self.inventory.add_host(name)
        host = self.inventory.get_host(name)
        for key, value in own.items():
            # Not through the inventory, which would look at and copy every value once more.
            host.set_variable(key, as_variable(value))
        if any(self.get_option(option) for option in _CONSTRUCTED):
            strict = self.get_option("strict")
            compose = self.get_option("compose")
            compose = {key: text for key, text in compose.items() if key not in there} if of_another else compose
            self._set_composite_vars(compose, self._known(name), name, strict=strict)
            known = self._known(name)
            self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)
        odd += self._check_reached(name, there)
        host.set_variable(GIVEN, given(host.vars))
        return name

    def _check_reached(self, name: str, there: Container[str]) -> Iterator[str]:
        """Take away what a host cannot be reached by, whoever composed it of what a source says, and yield what it was.

        `there` are the variables that others gave the host.
        """
        host = self.inventory.get_host(name)
        connection = host.vars.get("ansible_connection", "ssh")
        for key in ("ansible_host", "ansible_ssh_host"):
            if key not in there and key in host.vars and not can_be_reached(host.vars[key], connection):
                yield f"'{name}' ({str(host.vars.pop(key))[:60]!a})"
                if addresses := host.vars.get(ADDRESSES):
                    host.vars[key] = addresses[0]

    def _known(self, name: str) -> dict[str, Any]:
        """Return what expressions may look at: the fact's fields by their short names, then the host's variables."""
        variables = self.inventory.get_host(name).get_vars()
        return {"tags": {}, **variables.get(self.FACT, {}), **variables}


def shown_path(path: str) -> str:
    """Return a path as people know it: from the directory they are in, where it lies below."""
    whole = Path(path).resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(path)


def file_state(file: Path) -> list[Any]:
    """Return what tells whether a file is still what it was, where it is there."""
    try:
        status = file.stat()
    except OSError:
        return [str(file)]
    return [str(file), status.st_mtime_ns, status.st_size]

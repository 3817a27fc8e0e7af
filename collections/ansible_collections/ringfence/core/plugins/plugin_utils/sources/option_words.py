"""Refuses words and numbers that YAML reads as something else where an option wants text: `NO` is false, `007` is 7.

Ansible reads YAML 1.1 and makes text of what it read, so `exclude: {Status: off}` would look for 'False'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ansible.errors import AnsibleParserError

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

# What Ansible's own fragments define: expressions, and what never meets anything that a source says.
_NOT_TEXTS = ("plugin", "compose", "groups", "keyed_groups")
# Read as a number or a truth value, these make the same text again.
_SAME = re.compile(r"true|false|-?(0|[1-9][0-9]*)")
_ONE = "write a single text, not a list"
_ONE_OR_SEVERAL = "write one text, or a list of texts"
_EACH = "write each text of the list separately"
_TEXT_TYPES = (None, "str", "string", "raw", "path", "pathspec", "pathlist")


def refuse_misread(text: str, path: str, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise AnsibleParserError for the first value of an option of texts that is written without the quotes it needs.

    `text` is the configuration as it is written, `options` are those of the plug-in by their names.
    """
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        # Ansible reads JSON as well, and tells itself of what is neither.
        return
    if isinstance(root, yaml.MappingNode):
        _refuse(root, path, options)


def _refuse(mapping: yaml.MappingNode, path: str, options: Mapping[str, Mapping[str, Any]]) -> None:
    names = {alias: name for name, one in options.items() for alias in (name, *(one.get("aliases") or ()))}
    for key, value in _members(mapping):
        name = names.get(str(key.value))
        if name is None or name in _NOT_TEXTS:
            continue
        option = options[name]
        inner = option.get("suboptions")
        if inner:
            for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(one, yaml.MappingNode):
                    _refuse(one, path, inner)
            continue
        for node, remedy in _texts(value, option):
            _refuse_one(node, name, path, remedy)


def _texts(value: yaml.Node, option: Mapping[str, Any]) -> Iterator[tuple[yaml.Node, str]]:
    """Yield the nodes of an option that are to be texts, and what to write where one is a list or a mapping."""
    kind, elements = option.get("type"), option.get("elements")
    if kind == "dict":
        for key, one in _members(value) if isinstance(value, yaml.MappingNode) else ():
            yield key, _ONE
            if isinstance(one, yaml.SequenceNode):
                yield from ((each, _EACH) for each in one.value)
            else:
                yield one, _ONE_OR_SEVERAL
    elif kind in ("list", "raw") and isinstance(value, yaml.SequenceNode):
        yield from ((each, _EACH) for each in value.value) if elements in _TEXT_TYPES else ()
    elif kind in _TEXT_TYPES or (kind == "list" and elements in _TEXT_TYPES):
        # An option without a value is one that is not set.
        yield from () if value.tag.endswith(":null") else [(value, _ONE_OR_SEVERAL if kind == "list" else _ONE)]


def _members(mapping: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield keys and values, also of the mappings that are merged into one."""
    for key, value in mapping.value:
        if key.tag.endswith(":merge"):
            for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(one, yaml.MappingNode):
                    yield from _members(one)
        else:
            yield key, value


def _refuse_one(node: yaml.Node, option: str, path: str, shape_remedy: str) -> None:
    if isinstance(node, yaml.ScalarNode):
        kind = node.tag.rpartition(":")[2]
        if not node.tag.startswith("tag:yaml.org,2002:") or kind in ("str", "value") or _SAME.fullmatch(node.value):
            return
        message = f"'{option}' has {node.value} without quotes, which YAML reads as {_read_as(node, kind)}"
        if not node.value:
            message = f"'{option}' has no value, but needs text"
        quoted = node.value.replace("'", "''")
        remedy = f"write '{quoted}'"
    else:
        shape = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
        message, remedy = f"'{option}' has {shape}, but needs text", shape_remedy
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    raise AnsibleParserError(f"{message}: {remedy}.", obj=_placed(node, path, line, column))


def _read_as(node: yaml.ScalarNode, kind: str) -> str:
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        return f"a {kind}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return {"null": "nothing", "timestamp": f"the date {value}"}.get(kind, f"the number {value}")


def _placed(node: yaml.Node, path: str, line: int, column: int) -> Any:
    """Return something whose place Ansible shows with a message."""
    text = str(node.value) if isinstance(node, yaml.ScalarNode) and node.value else " "
    if Origin is not None:
        return Origin(path=path, line_num=line, col_num=column).tag(text)
    from ansible.parsing.yaml.objects import AnsibleUnicode  # deprecated where there is an Origin

    placed = AnsibleUnicode(text)
    placed.ansible_pos = (path, line, column)
    return placed

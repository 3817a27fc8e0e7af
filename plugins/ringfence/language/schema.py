"""The JSON schemas that editors use, made from the models of what people write."""

from __future__ import annotations

import json
from pathlib import Path

from ringfence.language.shapes import (
    REFERENCE,
    ApprovalEntry,
    ControlEntry,
    EmergenciesEntry,
    EnforceEntry,
    FlowsEntry,
    IdentityEntry,
    InvariantEntry,
    InventoryEntry,
    LabelRuleEntry,
    LabelsDocument,
    ModeEntry,
    PolicyDocument,
    RealmEntry,
    RuleEntry,
    ScanEntry,
    SettingsDocument,
    SinkEntry,
    TestEntry,
    TrustEntry,
    WatchEntry,
    WavesEntry,
    Written,
)
from ringfence.language.values import PROCESS_WORDS
from ringfence.model.label_rules import LABEL_KEY, RESERVED_WORDS
from ringfence.model.rules import Action, Mode
from ringfence.model.units import SERVICE_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, object]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXT_OR_TEXTS: list[Schema] = [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]
SIZES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1}
TEXTS: Schema = {"anyOf": TEXT_OR_TEXTS}
UNIT: Schema = {"type": "string", "pattern": SERVICE_PATTERN}
UNITS: Schema = {"anyOf": [UNIT, {"type": "array", "items": UNIT, "minItems": 1}]}
LABEL_NAMES: Schema = {"pattern": f"^{LABEL_KEY.pattern}$", "not": {"enum": sorted(RESERVED_WORDS)}}


def json_schema() -> dict[str, Schema]:
    """Return the schemas of the files by their file names: the policy's, the settings', the label rules'."""
    return {
        "policy.json": _document(
            PolicyDocument,
            "A policy file of Ringfence",
            {
                **_grammar(),
                "rule": _rule(),
                "enforce": _plain(EnforceEntry),
                "mode": {"anyOf": [{"enum": [str(mode) for mode in Mode]}, {**_plain(ModeEntry), "minProperties": 1}]},
                "test": {**_plain(TestEntry), "oneOf": [{"required": ["service"]}, {"required": ["services"]}]},
                "invariant": _plain(InvariantEntry),
            },
        ),
        "ringfence.json": _document(
            SettingsDocument,
            "The settings of a Ringfence workspace",
            {
                "networks": TEXTS,
                "control": _plain(ControlEntry),
                "realm": {"anyOf": [{"type": "null"}, _plain(RealmEntry)]},
                "waves": {"anyOf": [SIZES, _plain(WavesEntry)]},
                "selector": _grammar()["selector"],
                "identity": _plain(IdentityEntry),
                "trust": _plain(TrustEntry),
                "inventory": _plain(InventoryEntry),
                "approval": _plain(ApprovalEntry),
                "emergencies": _plain(EmergenciesEntry),
                "watch": _watch(),
                "watch_sink": {
                    **_plain(SinkEntry),
                    "oneOf": [{"required": [kind]} for kind in ("webhook", "syslog", "file")],
                },
                "flows": _plain(FlowsEntry),
                "identity_key": {"anyOf": [*TEXT_OR_TEXTS, {"type": "boolean"}]},
            },
        ),
        "labels.json": _document(LabelsDocument, "Label rules of Ringfence", {"label_rule": _label_rule()}),
    }


def write_schemas(directory: Path) -> tuple[Path, ...]:
    """Write the schemas into a directory and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, schema in json_schema().items():
        path = directory / name
        path.write_text(schema_text(schema), encoding="utf-8")
        paths.append(path)
    return tuple(paths)


def schema_text(schema: Schema) -> str:
    """Return a schema as the text that is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _document(shape: type[Written], title: str, definitions: dict[str, Schema]) -> Schema:
    return {"$schema": DIALECT, **_plain(shape), "title": title, "$defs": definitions}


def _plain(shape: type[Written]) -> Schema:
    """Return the schema of a model; a key that may be left out may not be null."""
    schema = _referring(shape.model_json_schema(by_alias=True))
    assert isinstance(schema, dict)
    schema.pop("title", None)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        schema["properties"] = {key: _without_null(value) for key, value in properties.items()}
    return schema


def _referring(schema: object) -> object:
    """Return a schema with `$ref` where the models say which definition holds."""
    if isinstance(schema, list):
        return [_referring(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _referring(part) for key, part in schema.items() if key != REFERENCE}
    return {"$ref": f"#/$defs/{schema[REFERENCE]}", **kept} if REFERENCE in schema else kept


def _without_null(schema: Schema) -> Schema:
    kept = {key: value for key, value in schema.items() if key != "title" and not (key == "default" and value is None)}
    choices = kept.pop("anyOf", None)
    if not isinstance(choices, list):
        return kept
    choices = [choice for choice in choices if choice != {"type": "null"}]
    return {**choices[0], **kept} if len(choices) == 1 else {"anyOf": choices, **kept}


def _rule() -> Schema:
    return {**_plain(RuleEntry), "oneOf": [{"required": [str(action)]} for action in Action]}


def _watch() -> Schema:
    schema = _plain(WatchEntry)
    schema.pop("$defs", None)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {**schema, "properties": {**properties, "scan": _plain(ScanEntry)}}


def _label_rule() -> Schema:
    schema = _plain(LabelRuleEntry)
    words = sorted(LabelRuleEntry.model_fields)
    return {
        **schema,
        "additionalProperties": {"type": "string", "minLength": 1, "description": "The label: a JMESPath expression."},
        "propertyNames": {"anyOf": [LABEL_NAMES, {"enum": words}]},
        "minProperties": 1,
    }


def _grammar() -> dict[str, Schema]:
    """Return the definitions of selectors, peers, services and networks."""
    selector: Schema = {"$ref": "#/$defs/selector"}
    several: Schema = {"type": "array", "items": selector, "minItems": 1}
    value: Schema = {
        "anyOf": [
            *[{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            {
                "type": "object",
                "properties": {"exists": {"type": "boolean"}},
                "required": ["exists"],
                "additionalProperties": False,
            },
        ]
    }
    combined: dict[str, Schema] = {"all": several, "any": several, "not": selector, "selector": TEXT}
    addressed: dict[str, dict[str, Schema]] = {
        "cidr": {"cidr": TEXTS, "except": TEXTS},
        "list": {"list": TEXT},
        "fqdn": {"fqdn": TEXT},
        "asset": {"asset": TEXTS},
    }
    beside: dict[str, Schema] = {
        "process": {
            "type": "object",
            "properties": {**dict.fromkeys(PROCESS_WORDS, TEXTS), "unit": UNITS},
            "additionalProperties": False,
            "minProperties": 1,
        },
        "scope": {"const": "none"},
    }

    def choices(more: dict[str, Schema]) -> Schema:
        labels: Schema = {
            "type": "object",
            "properties": {**combined, **more},
            "additionalProperties": value,
            "propertyNames": {"anyOf": [LABEL_NAMES, {"enum": sorted({**combined, **more})}]},
        }
        alone: list[Schema] = [
            {"type": "object", "properties": {**own, **more}, "required": [key], "additionalProperties": False}
            for key, own in addressed.items()
        ]
        return {"anyOf": [{"enum": ["any", "unknown", "internet"]}, *alone, labels]}

    peer = choices(beside)
    return {
        "selector": choices({}),
        "peers": {"anyOf": [peer, {"type": "array", "items": peer, "minItems": 1}]},
        "services": TEXTS,
        "networks": TEXTS,
    }

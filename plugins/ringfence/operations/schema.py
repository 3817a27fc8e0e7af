"""The JSON schemas of the files that people write, for their editors."""

from ringfence.language.schema import json_schema, write_schemas

__all__ = ["json_schema", "write_schemas"]

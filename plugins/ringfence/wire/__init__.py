"""What the engine and the collection both need, written once: the standard library alone.

The collection must work without the engine, so it has every module of this folder byte for byte as
`plugin_utils/wire/vendored/`; `make vendor` copies them, and a test compares the bytes.
"""

"""`watch` of `ringfence.yml`: sinks and spans, and what is wrong with them at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.language.settings import load_settings
from ringfence.model.errors import InputErrors
from ringfence.model.watch_settings import Sends, SinkSettings, WatchSettings


def read(directory: Path, text: str) -> WatchSettings:
    """Return the settings of watching that a text gives."""
    path = directory / "ringfence.yml"
    path.write_text(text)
    return load_settings(path).watch


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    assert read(tmp_path, "valid_days: 3\n") == WatchSettings()
    assert read(tmp_path, "watch: {scan: {targets: 30}}\n") == WatchSettings(scan_targets=30)


def test_sinks_say_where_and_what(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """\
watch:
  fixed_after: 3d
  sinks:
    - {webhook: "https://hooks.example/x", token_env: HOOK}
    - {syslog: "udp://[fd00::1]:514", send: denials}
    - {file: watch.jsonl, send: flows}
""",
    )
    assert found.fixed_after == 3 * 86400
    assert found.sinks == (
        SinkSettings("webhook", "https://hooks.example/x", token_env="HOOK"),
        SinkSettings("syslog", "udp://[fd00::1]:514", Sends.DENIALS),
        SinkSettings("file", "watch.jsonl", Sends.FLOWS),
    )


@pytest.mark.parametrize(
    ("sink", "why"),
    [
        ("{webhook: 'http://hooks.example/'}", "is not an https URL"),
        ("{webhook: 'https://me:secret@hooks.example/'}", "has no password in it"),
        ("{syslog: 'log.example'}", "is not an address of syslog"),
        ("{syslog: 'udp://log.example:99999'}", "is not an address of syslog"),
        ("{webhook: 'https://[zz]/'}", "is not an https URL"),
        ("{webhook: 'https://x:port/'}", "is not an https URL"),
        ("{webhook: 'https:///x'}", "is not an https URL"),
        ("{webhook: 'https://x/ä'}", "is not an https URL"),
        ("{file: a, syslog: 'udp://x'}", "one of webhook, syslog and file"),
        ("{send: flows}", "one of webhook, syslog and file"),
        ("{file: a, token_env: X}", "other sinks have none"),
        ("{webhook: 'https://x/', token_env: X, token_file: y}", "one token"),
        ("{webhok: 'https://x/'}", "webhok"),
        ("a", "is a mapping"),
    ],
)
def test_a_wrong_sink_is_told_at_its_place(tmp_path: Path, sink: str, why: str) -> None:
    with pytest.raises(InputErrors) as found:
        read(tmp_path, f"watch:\n  sinks:\n    - {sink}\n")
    assert why in str(found.value)
    assert "ringfence.yml:3" in str(found.value)
    assert "secret" not in str(found.value)

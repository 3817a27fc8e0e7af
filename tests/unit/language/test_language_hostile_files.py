"""Files that are no policy at all, or that would take all memory or time: refused with their place."""

from pathlib import Path

import pytest
from ringfence.language import load_policy
from ringfence.model.errors import InputErrors
from ringfence.model.rules import Settings

from tests.unit.language.policy_text import errors_of


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"\xff\xfe\x00r", "junk.yml:1:1", "the byte 0xff is not UTF-8"),
        (b"rules:\n  - name: caf\xe9\n", "junk.yml:2:14", "the byte 0xe9 is not UTF-8"),
        (b"rules: []\n\x00\n", "junk.yml:2:1", "the character '\\x00' may not stand in YAML"),
        (b"\x7fELF\x02\x01\x01", "junk.yml:1:1", "the character '\\x7f' may not stand in YAML"),
        (b"[" * 100_000, "junk.yml:1:41", "nested deeper than 40 levels"),
        (b"x: " + b"{a: " * 100_000, "junk.yml:1:160", "nested deeper than 40 levels"),
        (b"a: &a [*a]\n", "junk.yml:1:8", "the alias '*a' stands inside what it names"),
    ],
)
def test_what_is_no_text_and_what_would_exhaust_memory_is_refused(
    content: bytes, place: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "junk.yml"
    path.write_bytes(content)
    with pytest.raises(InputErrors) as caught:
        load_policy([path], Settings(), tmp_path)
    assert (place, message) in [(str(error.place), error.message) for error in caught.value.errors]


def test_aliases_that_double_at_every_level_are_refused(tmp_path: Path) -> None:
    bomb = "a: &a0 [x, x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert any("more than 2000000 values" in message for _, message, _ in errors_of(tmp_path, bomb))


def test_definitions_that_double_at_every_level_are_refused(tmp_path: Path) -> None:
    bomb = "selectors:\n  s0: {role: web}\n" + "".join(
        f"  s{n}: {{any: [{{selector: s{n - 1}}}, {{selector: s{n - 1}}}]}}\n" for n in range(1, 60)
    )
    assert any("more than 10000 parts" in message for _, message, _ in errors_of(tmp_path, bomb))


@pytest.mark.parametrize("backwards", [False, True])
def test_definitions_that_form_a_long_chain_are_refused(backwards: bool, tmp_path: Path) -> None:
    selectors = [f"  s{n}: {{not: {{selector: s{n - 1}}}}}\n" for n in range(1, 3000)]
    services = [f"  s{n}: [s{n - 1}]\n" for n in range(1, 3000)]
    order = reversed if backwards else iter
    for key, chain, first in (("selectors", selectors, "  s0: {role: web}\n"), ("services", services, "  s0: tcp\n")):
        found = errors_of(tmp_path, f"{key}:\n{first}{''.join(order(chain))}")
        if key == "selectors" or backwards:
            assert any("nested deeper than 50 levels" in message for _, message, _ in found)


def test_a_huge_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yml"
    with huge.open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(InputErrors) as caught:
        load_policy([huge, tmp_path / "gone.yml", tmp_path], Settings(), tmp_path)
    assert [str(error) for error in caught.value.errors] == [
        ".: is not a regular file (write a file here)",
        "gone.yml: cannot be read: No such file or directory (is the name right, and may you read it?)",
        "huge.yml: the file is larger than 16 MiB (split it into several files)",
    ]

"""Finding assets as one types, and completing what is typed."""

from __future__ import annotations

from ringfence_tui.screens.assets.model import AssetTable, Told, completions, engine_words


def table() -> AssetTable:
    made = AssetTable()
    made.add(
        [
            ("db-1", "10.0.0.1 10.0.0.9", "aws:eu", "nftables", "default", "", ("env=prod", "role=db")),
            ("db-2", "10.0.0.2", "vsphere", "nftables", "default", "", ("env=dev", "role=db-replica")),
            ("Web-1", "10.0.0.3", "aws:eu", "", "default", "2026-11-01", ("env=prod",)),
        ]
    )
    return made


def names(filter_text: str, made: AssetTable | None = None) -> list[str]:
    made = made or table()
    return [made.rows[index][0] for index in made.find(filter_text)]


def test_a_word_is_looked_for_everywhere() -> None:
    assert names("web") == ["Web-1"]
    assert names("10.0.0.9") == ["db-1"]
    assert names("aws prod") == ["db-1", "Web-1"]


def test_a_label_is_meant_as_it_is_and_while_it_is_typed_by_its_beginning() -> None:
    assert names("role=db") == ["db-1"]
    assert names("role=db-") == ["db-2"]
    assert names("role=d") == ["db-1", "db-2"]
    assert names("role=d ") == []
    assert names("env=prod|dev role=db|db-replica") == ["db-1", "db-2"]


def test_what_is_denied_is_left_out() -> None:
    assert names("!role=db env=prod") == ["Web-1"]
    assert names("!role") == ["Web-1"]
    assert names("!web") == ["db-1", "db-2"]


def test_what_the_engine_tells_later_is_found_too() -> None:
    made = table()
    made.tell(Told("mode", 0, ("full", "observe", "")))
    assert names("mode=full", made) == ["db-1"]
    made.tell(Told("mode", 0, ("observe", "observe", "")))
    assert names("mode=full ", made) == []
    assert names("mode=observe", made) == ["db-1", "db-2"]


def test_keys_and_values_are_completed() -> None:
    assert completions(table(), "ro") == ("role=",)
    assert completions(table(), "x !role=db|d") == ("!role=db|db", "!role=db|db-replica")


def test_selectors_in_braces_and_networks_are_the_engines() -> None:
    assert engine_words("{role: web, env: prod}") == ("{role: web, env: prod}",)
    assert engine_words("role=db 10.0.0.0/8") == ("10.0.0.0/8",)


def test_a_value_that_no_word_of_a_filter_can_hold_is_not_offered() -> None:
    table = AssetTable(values={"role": {"web", "two words", "x\x1b[2J"}})

    assert completions(table, "role=") == ("role=web",)


def test_a_table_begins_with_the_rows_of_another_and_what_was_told_of_them() -> None:
    made = table()
    made.tell(Told("mode", 0, ("full", "observe", "full")))
    begun = made.beginning(1)
    begun.add([("c", "10.0.0.4", "aws:eu", "", "default", "", ())])
    assert [names(word, begun) for word in ("mode=full", "mode=observe", "aws")] == [["db-1"], [], ["db-1", "c"]]
    assert (begun.of("mode", 0), begun.of("mode", 1), begun.longest) == ("full", "", 4)
    assert names("mode=observe", made) == ["db-2"]

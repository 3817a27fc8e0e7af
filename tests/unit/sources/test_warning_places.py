"""Files, lines and ways out that stand in a warning of Ansible become those of the problem."""

from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.warning_places import placed_warning, without_repeated


def workspace(directory: Path) -> Path:
    (directory / "inventory").mkdir()
    (directory / "hosts.csv").write_text("name\n")
    (directory / "inventory" / "30.yml").write_text("plugin: ringfence.core.onprem\n")
    return directory


def test_a_warning_about_a_row_of_a_table_has_the_row_and_the_way_out(tmp_path: Path) -> None:
    text = "inventory/30.yml: hosts.csv:7: this row is left out: it has no name (a name (or two))"
    assert placed_warning(text, None, workspace(tmp_path)) == Problem(
        Severity.WARNING, "this row is left out: it has no name", Place("hosts.csv", 7), "a name (or two)"
    )


def test_a_warning_of_a_source_has_the_source_and_keeps_its_brackets(tmp_path: Path) -> None:
    found = placed_warning("inventory/30.yml: nothing answers (timeout)", None, workspace(tmp_path))
    assert found == Problem(Severity.WARNING, "nothing answers (timeout)", Place("inventory/30.yml"))


def test_a_file_and_a_line_in_the_words_of_ansible_are_the_place(tmp_path: Path) -> None:
    file = workspace(tmp_path) / "inventory" / "30.yml"
    found = placed_warning(f"While constructing a mapping from {file}, line 3, column 1, found x", None, tmp_path)
    assert (found.place, found.message[:9]) == (Place("inventory/30.yml", 3, 1), "Ansible: ")


def test_what_only_looks_like_a_place_is_none(tmp_path: Path) -> None:
    assert placed_warning("at 10:30: /no/such/file line 3", None, workspace(tmp_path)).place is None


def test_what_the_engine_tells_itself_is_not_told_again_as_a_warning_of_ansible() -> None:
    told = [
        Problem(Severity.WARNING, "the rule matches none", Place("labels.yml", 2, 5), "delete it"),
        Problem(Severity.WARNING, "ringfence_labels of host 'a' gives …", Place("inventory"), "correct it"),
    ]
    again = (
        Problem(Severity.WARNING, "the rule matches none", Place("labels.yml", 2, 5), "delete it"),
        Problem(Severity.WARNING, "Ansible: ringfence_labels of host 'a' gives … (correct it)"),
        Problem(Severity.WARNING, "Ansible: something else"),
    )
    assert without_repeated(again, told) == [again[2]]

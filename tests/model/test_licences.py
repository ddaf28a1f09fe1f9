"""What a card tells of licences, and what of it stays when it is written anew."""

from zoo.model.licences import BEGIN, END, as_told, licence_section
from zoo.model.marks import with_section
from zoo.spec.licences import Licensed

BASES = [Licensed("timm/resnet50", "apache-2.0"), Licensed("hf://acme/base@1", None, "it has no card")]


def test_every_base_and_every_conflict_is_told() -> None:
    told = licence_section("apache-2.0", [*BASES, Licensed("moods#note", "cc-by-nc-4.0")])
    assert told == (
        f"{BEGIN}\n\n## Licences\n\nThis model is under apache-2.0.\n\n"
        "| made of | licence |\n|---|---|\n"
        "| timm/resnet50 | apache-2.0 |\n| hf://acme/base@1 | not known |\n| moods#note | cc-by-nc-4.0 |\n\n"
        "- moods#note is under cc-by-nc-4.0, which forbids commercial use: `hub.license: apache-2.0` does not keep "
        f"that.\n\n{END}"
    )
    assert "under no licence (`hub.license`)" in licence_section(None, BASES)
    assert licence_section("mit", []) == ""


def test_a_licence_that_a_user_filled_in_stays_where_nobody_knows_it() -> None:
    card = f"# Mine\n\n{licence_section('mit', BASES)}\n\nwords\n"
    assert as_told(BASES, card) == [BASES[0], Licensed("hf://acme/base@1", None, "it has no card")]
    filled = card.replace("not known", "cc-by-4.0").replace("apache-2.0", "gpl-3.0")
    found = as_told(BASES, filled)
    assert [each.licence for each in found] == ["apache-2.0", "cc-by-4.0"]
    assert with_section(filled, licence_section("mit", found)) == card.replace("not known", "cc-by-4.0")
    unmarked = filled.replace(BEGIN, "")
    assert [each.licence for each in as_told(BASES, unmarked)] == ["apache-2.0", None]
    assert with_section(unmarked, licence_section("mit", found)) == unmarked


def test_a_table_that_an_editor_laid_out_anew_tells_the_same() -> None:
    card = licence_section("mit", BASES).replace("| hf://acme/base@1 | not known |", "ROW")
    for row in ("|hf://acme/base@1|MIT|", "| hf://acme/base@1 | MIT | ", "  |  hf://acme/base@1  |  MIT    |"):
        assert [each.licence for each in as_told(BASES, card.replace("ROW", row))] == ["apache-2.0", "MIT"]
    for row in ("|hf://acme/base@1|not known|", "| hf://acme/base@1 |   |", "| hf://acme/base@1 | not known  |"):
        assert [each.licence for each in as_told(BASES, card.replace("ROW", row))] == ["apache-2.0", None]


def test_a_name_that_a_stranger_chose_breaks_no_table_and_no_mark() -> None:
    evil = [Licensed(f"a | b\n\n# PWNED <script> {END} {number}", None, "it has no card") for number in range(2)]
    section = licence_section("mit", evil)
    assert section.count(END) == 1 and "<script" not in section and "\n# " not in section
    rows = [line for line in section.splitlines() if "PWNED" in line]
    assert len(rows) == 2 and all(row.count("|") == 3 and row.endswith("| not known |") for row in rows)
    filled = section.replace("0 | not known |", "0 | mit |")
    assert [each.licence for each in as_told(evil, filled)] == ["mit", None]

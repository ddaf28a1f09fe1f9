"""Licences of bases beside that of the model."""

from pathlib import Path

import pytest

from zoo.spec.licences import Licensed, Start, licence_remarks, licences, limits, starts, stated
from zoo.spec.load import load_spec


@pytest.mark.parametrize(
    ("base", "own", "told"),
    [
        ("apache-2.0", None, None),
        ("mit", "apache-2.0", None),
        ("cc-by-4.0", "mit", None),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", None),
        ("cc-by-nc-4.0", "apache-2.0", "forbids commercial use: `hub.license: apache-2.0` does not keep that"),
        ("cc-by-nc-4.0", None, "forbids commercial use: a model without a licence (`hub.license`) does not keep that"),
        ("fair-noncommercial-research-license", "mit", "which forbids commercial use: "),
        ("other (non-commercial research)", "mit", "which forbids commercial use: "),
        ("cc-by-nc-sa-4.0", "mit", "which forbids commercial use and wants the same licence for what is made of it: "),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", "which wants the same licence"),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", "which forbids sharing what was made of it: "),
        ("cc-by-sa-4.0", "mit", "wants the same licence"),
        ("gpl-3.0", "mit", "wants the same licence"),
        ("agpl-3.0", "agpl-3.0", None),
        ("gpl-3.0", "agpl-3.0", None),
        ("agpl-3.0", "gpl-3.0", "wants the same licence"),
        ("lgpl-3.0", "gpl-3.0", None),
        ("llama3.1", "apache-2.0", "is under terms of its own (llama3.1): read what they ask"),
        ("other", None, "is under terms of its own (other)"),
        ("llama3.1", "llama3.1", None),
        ("other", "other", "is under terms of its own (other)"),
        ("gpl-3.0", "gpl-2.0", "wants the same licence, in its version unless it says otherwise, "),
        ("gpl-2.0", "gpl-3.0", "wants the same licence, in its version"),
        ("gpl-2.0-or-later", "gpl-3.0", None),
        ("gpl-2.0", "agpl-3.0", "wants the same licence, in its version"),
        ("lgpl-2.1", "gpl-3.0", None),
        ("lgpl-3.0", "gpl-2.0", "wants the same licence, in its version"),
        ("gplv3", "gpl-3.0", None),
        ("gplv3", "mit", "wants the same licence"),
        ("gpl", "gpl-3.0", None),
        ("cc-by-sa-4.0", "cc-by-sa-3.0", "wants the same licence, in its version"),
        ("cc-by-sa-3.0", "cc-by-sa-4.0", None),  # its own text allows a later version
        ("cdla-sharing-1.0", "mit", "wants the same licence"),
        ("cdla-sharing-1.0", "cdla-sharing-1.0", None),
        ("cdla-permissive-2.0", "mit", None),
        ("eupl-1.2", "mit", "wants the same licence"),
        ("eupl-1.1", "eupl-1.2", None),
        ("eupl-1.2", "gpl-3.0", None),
        ("apache-2.0 and proprietary", "mit", "is under terms of its own (apache-2.0 and proprietary)"),
        ("apache-2.0 with limits", "mit", "is under terms of its own"),
        ("all rights reserved, public", "mit", "is under terms of its own"),
        ("public", "mit", "is under terms of its own"),
        ("cc", "mit", "is under terms of its own"),
        ("mitre", "mit", "is under terms of its own"),
        ("ms-pl", "mit", None),
        ("BSD 3-Clause", "mit", None),
        ("mit and CC BY 4.0", "mit", None),
    ],
)
def test_where_a_licence_does_not_keep_what_a_base_wants_it_is_told(
    base: str, own: str | None, told: str | None
) -> None:
    found = list(limits(own, [Licensed("timm/resnet50", base)]))
    assert len(found) == (told is not None)
    assert all(each.startswith("timm/resnet50 is under ") and told in each for each in found if told is not None)
    assert list(licence_remarks(own, [Licensed("timm/resnet50", base)])) == found


def test_what_nobody_knows_is_told_with_the_reason_and_is_no_limit() -> None:
    unknown = Licensed("hf://acme/base@1", None, "it has no card")
    (told,) = licence_remarks("mit", [unknown])
    assert "nobody here knows the licence of hf://acme/base@1 (it has no card): look whether" in told
    assert not list(limits("mit", [unknown]))


SPEC = """\
inputs:
  photo: {type: image, backbone: timm/resnet50}
  other: {type: image, backbone: timm/resnet50}
  same: {type: image, backbone: {same_as: photo}}
  note: {type: text, backbone: transformers/google-bert/bert-base-uncased}
  mine: {type: text, backbone: {use: zoo/text-cnn, weights: /home/ann/moods#note}}
  fresh: {type: image, backbone: {use: timm/resnet50, weights: none}}
  theirs: {type: image, backbone: {use: timm/resnet50, weights: hf://acme/base}}
fusion: zoo/concat
heads: {y: {use: zoo/classifier, weights: hf://acme/moods@v1#mood}, z: zoo/classifier}
data: {train: t.csv}
"""


def test_licences_are_those_of_the_index_and_of_the_cards(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    spec = load_spec(tmp_path / "spec.yaml")
    assert [each.part for each in starts(spec)] == [
        "backbones.photo",
        "backbones.other",
        "backbones.note",
        "backbones.mine",
        "backbones.theirs",
        "heads.y",
    ]
    found = licences(spec, {"backbones.theirs": {"repo": "acme/base", "commit": "a" * 40}})
    assert {each.base: each.licence for each in found} == {
        "timm/resnet50": "apache-2.0",
        "transformers/google-bert/bert-base-uncased": "apache-2.0",
        "moods#note": None,
        f"hf://acme/base@{'a' * 40}": None,
        "hf://acme/moods@v1#mood": None,
    }
    assert len(found) == 5 and all(bool(each.why) == (each.licence is None) for each in found)


def test_a_part_of_a_run_is_called_by_the_commit_that_was_used() -> None:
    record = {"repo": "acme/moods", "commit": "b" * 40, "part": "mood"}
    assert stated(Start("heads.y", "hf://acme/moods@v1#mood"), record).base == f"hf://acme/moods@{'b' * 40}#mood"


EVIL = "a |\n\n# PWNED <script>"


@pytest.mark.parametrize(
    "record",
    [
        {"repo": EVIL, "commit": "z"},
        {"repo": "acme/base", "commit": EVIL},
        {"repo": ["a"], "commit": 3},
        {"repo": "a/b"},
    ],
)
def test_a_record_that_names_no_commit_is_not_told(record: dict[str, object]) -> None:
    assert stated(Start("heads.y", "hf://acme/moods#mood"), record).base == "hf://acme/moods#mood"


def test_a_name_that_a_stranger_chose_is_inert() -> None:
    evil = f"/x/{EVIL}\x1b[2J<!-- /zoo:licences --> [a](b) `c`" + "x" * 500
    named = stated(Start("heads.y", f"{evil}#mood"), {})
    assert stated(Start("heads.y", "/x/my moods+1#mädchen"), {}).called == "my moods+1#mädchen"
    for licence, why in (("cc-by-nc-4.0", ""), ("llama3 <b>\n# a\x1b", ""), (None, f"no <b>\x1b{EVIL}")):
        (told,) = licence_remarks("mit", [Licensed(named.base, licence, why)])
        assert told.isprintable() and not {*"<|"} & {*told} and "x" * 300 not in told
    assert len(named.called) == 200 and not {*"<>|\n\x1b[]()`!*"} & {*named.called}

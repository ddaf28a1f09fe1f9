"""`zoo import`: what another library saved becomes a folder that a spec can name, and nothing in it can run."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.command import run
from tests.sharing.licensed import spec
from tests.sharing.pickled import put, saved
from tests.test_laws import imported_by
from zoo import build
from zoo.checkpoint.readme import front_matter
from zoo.checkpoint.tensors import read_tensors, write_tensors
from zoo.errors import ConflictError, CorruptError, UsageError
from zoo.features import Values
from zoo.files import file_digest
from zoo.hub.import_folder import import_folder
from zoo.hub.licences import base_licences
from zoo.spec.load import load_spec

BERT = {"model_type": "bert", "hidden_size": 8}
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "day")


def tensors(*names: str) -> dict[str, Tensor]:
    return {name: torch.arange(4.0) + number for number, name in enumerate(names)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as transformers saves one."""
    folder = put(tmp_path / "mine", "config.json", json.dumps(BERT).encode())
    write_tensors(folder / "model.safetensors", tensors("a", "b"))
    put(folder, "vocab.txt", b"[PAD]\n")
    return folder


def sharded(folder: Path, places: dict[str, str], suffix: str) -> None:
    index = "model.safetensors.index.json" if suffix == "safetensors" else "pytorch_model.bin.index.json"
    put(folder, index, json.dumps({"weight_map": places}).encode())


def test_safetensors_are_taken_over_bit_for_bit_without_torch(model: Path) -> None:
    before = file_digest(model / "model.safetensors")
    imported = imported_by(["import", "mine"], model.parent)
    assert not imported & {"torch", "transformers", "timm"}
    folder = model.parent / "imported" / "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "vocab.txt"]
    assert file_digest(folder / "model.safetensors") == before
    assert (folder / "config.json").read_bytes() == (model / "config.json").read_bytes()


def test_what_is_printed(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(model, "modeling_mine.py", b"raise SystemExit")
    (model / "onnx").mkdir()
    done = run("import", "mine")
    assert done.stdout.startswith("imported imported/mine: 2 tensors from safetensors, ")
    assert done.stderr.splitlines() == [
        "left behind: modeling_mine.py, onnx/",
        "next: write into your spec `backbone: {use: transformers/bert, weights: imported/mine}`",
    ]
    told = json.loads(run("import", "mine", "-o", "other", "--json").stdout)
    assert (told["folder"], told["use"], told["tensors"]) == ("other", "transformers/bert", 2)
    assert told["line"] == "backbone: {use: transformers/bert, weights: ./other}"
    assert told["files"]["vocab.txt"] == 6
    again = run("import", "mine", "-o", "other")
    assert again.exit_code == 7 and "`other` is there already" in again.stderr


KEPT = {
    "license: mit\nauto_map: {x: y}": "mit",
    "license: other\nlicense_name: llama3.1\nlicense_link: LICENSE": "llama3.1",
    "license: [mit, cc-by-sa-4.0]": "mit and cc-by-sa-4.0",
}


@pytest.mark.parametrize("head", KEPT)
def test_of_a_card_the_licence_is_kept_alone(head: str, model: Path, tmp_path: Path) -> None:
    put(model, "README.md", f"---\n{head}\n---\n# Mine <script>\n".encode())
    put(model, "LICENSE", b"words")
    found = import_folder(model, tmp_path / "out")
    assert f"kept of README.md: its licence, {KEPT[head]}, and nothing else" in found.remarks
    assert "README.md" in found.files and found.left == ("LICENSE",)
    text = (tmp_path / "out" / "README.md").read_text()
    assert front_matter(tmp_path / "out" / "README.md").keys() <= {"license", "license_name"}
    assert not [word for word in ("Mine", "script", "auto_map", "link") if word in text]
    (tmp_path / "spec.yaml").write_text(spec(["out"]))
    (told,) = base_licences(load_spec(tmp_path / "spec.yaml"), {})
    assert (told.base, told.licence) == ("out", KEPT[head])


@pytest.mark.parametrize(
    "card",
    ["# Words", "---\nlicense: [mit\n---\n", "---\nlicense: unknown\n---\n", '---\nlicense: "a |\\n# b"\n---\n'],
)
def test_a_card_without_a_licence_that_can_be_read_stops_nothing(card: str, model: Path, tmp_path: Path) -> None:
    put(model, "README.md", card.encode())
    found = import_folder(model, tmp_path / "out")
    assert "README.md" in found.left and "README.md" not in found.files
    assert bool(found.remarks) == ("[mit" in card)


def test_a_card_that_is_a_link_elsewhere_is_not_read(model: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.md", b"---\nlicense: mit\n---\n")
    (model / "README.md").symlink_to(tmp_path / "secret.md")
    found = import_folder(model, tmp_path / "out")
    assert "README.md" not in found.files
    assert found.remarks[0].startswith("the licence in README.md is not kept, because that cannot be read: ")


HOSTILE = {
    **BERT,
    "auto_map": {"AutoModel": "mine.Mine"},
    "trust_remote_code": True,
    "text_config": {"_attn_implementation_internal": "someone/kernels", "layers": [{"_target_": "os.system"}]},
    "label2id": {"auto_map": 0},
}


def test_entries_that_name_code_are_taken_out_and_told(model: Path, tmp_path: Path) -> None:
    put(model, "config.json", json.dumps(HOSTILE).encode())
    put(model, "tokenizer_config.json", json.dumps({"auto_map": {"AutoTokenizer": ["mine.Mine", None]}}).encode())
    put(model, "vocab.json", json.dumps({"auto_map": 0}).encode())
    found = import_folder(model, tmp_path / "out")
    assert found.stripped == {
        "config.json": [
            "auto_map",
            "trust_remote_code",
            "text_config._attn_implementation_internal",
            "text_config.layers[0]._target_",
        ],
        "tokenizer_config.json": ["auto_map"],
    }
    assert json.loads((tmp_path / "out" / "config.json").read_text()) == {
        **BERT,
        "text_config": {"layers": [{}]},
        "label2id": {"auto_map": 0},
    }
    assert json.loads((tmp_path / "out" / "vocab.json").read_text()) == {"auto_map": 0}


def test_what_timm_was_told_of_other_places_is_taken_out(tmp_path: Path) -> None:
    config = {
        "architecture": "test_resnet",
        "model_args": {"checkpoint_path": "/etc/weights.pth", "act_layer": "gelu"},
        "pretrained_cfg": {"url": "https://example.org/x.pth", "hf_hub_filename": "../x.bin", "mean": [0.5, 0.5, 0.5]},
    }
    folder = put(tmp_path / "mine", "config.json", json.dumps(config).encode())
    write_tensors(folder / "anything.safetensors", tensors("a"))
    found = import_folder(folder, tmp_path / "out")
    assert (found.use, found.tensors) == ("timm/test_resnet", 1)
    assert json.loads((found.folder / "config.json").read_text()) == {
        "architecture": "test_resnet",
        "model_args": {"act_layer": "gelu"},
        "pretrained_cfg": {"mean": [0.5, 0.5, 0.5]},
    }
    assert (found.folder / "model.safetensors").is_file()


@pytest.mark.parametrize(
    "name", ["google-bert/bert-base-uncased", "bert, weights: none}", "nothing-like-it", 3, ["bert"]]
)
def test_a_name_that_no_backbone_has_is_not_taken_for_one(name: Any, model: Path, tmp_path: Path) -> None:
    put(model, "config.json", json.dumps({"model_type": name}).encode())
    found = import_folder(model, tmp_path / "out")
    assert found.use is None
    assert found.line == f"backbone: {{use: NAME, weights: {tmp_path.as_posix()}/out}}"


def test_shards_are_taken_over_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    sharded(folder, {"a": "x-1.safetensors", "b": "x-2.safetensors"}, "safetensors")
    for number, name in enumerate("ab", 1):
        write_tensors(folder / f"x-{number}.safetensors", tensors(name))
    found = import_folder(folder, tmp_path / "out")
    assert [*found.files] == ["model.safetensors.index.json", "x-1.safetensors", "x-2.safetensors"]
    assert found.tensors == 2 and not found.left
    sharded(folder, {"a": "x-1.safetensors", "c": "x-2.safetensors"}, "safetensors")
    with pytest.raises(CorruptError, match=r"`\S*mine/x-2.safetensors` does not hold the tensors"):
        import_folder(folder, tmp_path / "other")


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize("place", ["../outside.{}", "/outside.{}", "sub/inside.{}", "..\\outside.{}", "shard.py"])
def test_an_index_that_leads_elsewhere_is_refused(place: str, suffix: str, tmp_path: Path) -> None:
    put(tmp_path, f"outside.{suffix}", saved(tensors("a")))
    sharded(tmp_path / "mine", {"a": place.format(suffix)}, suffix)
    with pytest.raises(CorruptError, match=f"which is no .{suffix} file beside it"):
        import_folder(tmp_path / "mine", tmp_path / "out")
    sharded(tmp_path / "mine", {"a": f"gone.{suffix}"}, suffix)
    with pytest.raises(CorruptError, match=f"lacks `gone.{suffix}`, which its"):
        import_folder(tmp_path / "mine", tmp_path / "out")
    assert not list(tmp_path.glob("*out*/"))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "vocab.txt", "config.json"])
def test_a_link_out_of_the_folder_is_refused(name: str, model: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret", (model / name).read_bytes() if (model / name).is_file() else b"{}")
    (model / name).unlink(missing_ok=True)
    (model / name).symlink_to(tmp_path / "secret")
    with pytest.raises(CorruptError, match=f"{name}` is a link that leads out of the folder"):
        import_folder(model, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_a_snapshot_of_the_cache_of_the_hub_is_a_folder_with_links(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "models--acme--mood"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / "0123").mkdir(parents=True)
    for path in model.iterdir():
        blob = path.rename(cache / "blobs" / f"blob-of-{path.stem}-{path.suffix[1:]}")
        (cache / "snapshots" / "0123" / path.name).symlink_to(f"../../blobs/{blob.name}")
    found = import_folder(cache / "snapshots" / "0123", tmp_path / "out")
    assert found.use == "transformers/bert" and not any(path.is_symlink() for path in found.folder.iterdir())


def test_what_is_no_model_or_another_thing_is_told(model: Path, tmp_path: Path) -> None:
    cases = {
        "gone": ({}, "is no folder, and no file of weights"),
        "empty": ({"notes.txt": b""}, "has no weights"),
        "run": ({"zoo.yaml": b"", "model.safetensors": b""}, "is a run of zoo already.*run#PART"),
        "adapter": ({"adapter_config.json": b"{}", "adapter_model.bin": b""}, "holds an adapter"),
        "several": ({"best.ckpt": b"", "last.pth": b"", "optimizer.pt": b""}, r"several .*\(best.ckpt, last.pth\)"),
        "training": ({"training_args.bin": b"", "rng_state_0.pth": b""}, "has no weights"),
    }
    for name, (files, words) in cases.items():
        for file, data in files.items():
            put(tmp_path / name, file, data)
        with pytest.raises(UsageError, match=words):
            import_folder(tmp_path / name, tmp_path / "out")
    with pytest.raises(UsageError, match="is no file of weights"):
        import_folder(model / "vocab.txt", tmp_path / "out")
    with pytest.raises(UsageError, match="a `#` stands before a part"):
        import_folder(model, tmp_path / "out#1")
    with pytest.raises(ConflictError):
        import_folder(model, model)
    assert not list(tmp_path.glob("*out*"))


def test_an_import_that_fails_leaves_no_folder_around_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (model / "model.safetensors").write_bytes(b"")
    done = run("import", "mine")
    assert done.exit_code == 4, done.stderr
    assert [*tmp_path.iterdir()] == [model]


def test_small_files_that_are_damaged_are_refused(model: Path, tmp_path: Path) -> None:
    bad = {
        "config.json": (b'{"model_type": "bert", "model_type": "gpt2"}', "a key stands in it twice"),
        "special_tokens_map.json": (b"{", "is no JSON that can be read"),
        "tokenizer_config.json": (b"[" * 100_000, "is no JSON that can be read"),
        "generation_config.json": (b"[]", "it holds no object"),
        "preprocessor_config.json": (b" " * (17 << 20), "is larger than 16 MiB"),
        "model.safetensors": (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of git LFS"),
    }
    for name, (data, words) in bad.items():
        before = (model / name).read_bytes() if (model / name).is_file() else None
        put(model, name, data)
        with pytest.raises(CorruptError, match=words):
            import_folder(model, tmp_path / "out")
        (model / name).unlink()
        if before is not None:
            put(model, name, before)
    put(model, "model.safetensors", b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(CorruptError, match="is no whole safetensors file"):
        import_folder(model, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_weights_that_are_no_numbers_are_refused_unless_asked_for(model: Path, tmp_path: Path) -> None:
    write_tensors(model / "model.safetensors", {"a": torch.tensor([1.0, float("nan")])})
    done = run("import", model, "-o", tmp_path / "out")
    assert done.exit_code == 4 and "`a` holds NaN" in done.stderr and not (tmp_path / "out").exists()
    assert run("import", model, "-o", tmp_path / "out", "--allow-nonfinite").exit_code == 0


HEADS = {"y": {"use": "zoo/classifier", "classes": ["a", "b"]}}


@pytest.mark.slow
def test_a_bert_that_was_pickled_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

    monkeypatch.chdir(tmp_path)
    put(tmp_path / "mine", "vocab.txt", "\n".join(WORDS).encode())
    settings = BertConfig(vocab_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    library = BertForMaskedLM(settings).eval()
    library.config.save_pretrained("mine")
    tokenizer = BertTokenizerFast("mine/vocab.txt")
    tokenizer.save_pretrained("mine")
    state = library.state_dict()
    names = list(state)
    for number, part in enumerate((names[:20], names[20:]), 1):
        torch.save({name: state[name] for name in part}, f"mine/pytorch_model-{number}.bin")
    places = {name: f"pytorch_model-{1 + (name not in names[:20])}.bin" for name in names}
    sharded(tmp_path / "mine", places, "bin")
    found = import_folder("mine")
    assert found.pickled and found.line == "backbone: {use: transformers/bert, weights: imported/mine}"
    stored = read_tensors(found.folder / "model.safetensors")
    assert all(torch.equal(each, state[name]) for name, each in stored.items())
    again, report = BertForMaskedLM.from_pretrained(found.folder, output_loading_info=True)
    assert not report["missing_keys"] and all(
        torch.equal(each, state[name]) for name, each in again.state_dict().items()
    )
    backbone = {"use": "transformers/bert", "weights": "imported/mine", "pool": "mean"}
    built = build({"inputs": {"x": {"type": "text", "backbone": backbone}}, "heads": HEADS}).eval()
    ids = built.backbone("x").prepare("good bad day")
    assert ids.tolist() == tokenizer("good bad day")["input_ids"]
    with torch.no_grad():
        wanted = library.bert(ids[None]).last_hidden_state
    assert torch.equal(built.backbone("x")(Values(ids[None])).tokens, wanted)


@pytest.mark.slow
def test_a_model_of_timm_that_was_pickled_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm
    from timm.models import save_for_hf

    monkeypatch.chdir(tmp_path)
    library = timm.create_model("test_resnet", num_classes=3).eval()
    save_for_hf(library, "mine")
    assert [path.name for path in (tmp_path / "mine").glob("*.bin")] == ["pytorch_model.bin"]
    done = run("import", "mine")
    assert done.stderr.splitlines()[-1].endswith("{use: timm/test_resnet, weights: imported/mine}`")
    backbone = {"use": "timm/test_resnet", "weights": "imported/mine"}
    built = build({"inputs": {"x": {"type": "image", "backbone": backbone}}, "heads": HEADS}).eval()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        wanted = library.forward_head(library.forward_features(pictures), pre_logits=True)
        assert torch.equal(built.backbone("x")(Values(pictures)).pooled, wanted)

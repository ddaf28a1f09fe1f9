import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
import transformers
from tokenizers import Tokenizer

from tests.plugins.test_transformers_text import BERT, WORDS, bert, files_of, tokenizer_of
from tests.plugins.tiny_transformers import SIZES, TEXT, make_text, store
from zoo import UsageError
from zoo_transformers.declaration import TrainedTokenizer, Transformers
from zoo_transformers.tokenizer import Tokenize
from zoo_transformers.tokenizer_training import fit
from zoo_transformers.vocabulary import move_rows, shared_rows

CELLS = ["the quick brown fox", "the quick blue fox jumps", "über alles", "quick quick fox!", "sky and sea and sky"] * 3
ALGORITHMS = ("wordpiece", "bpe", "unigram")
every = pytest.mark.parametrize("algorithm", ALGORITHMS)
CODE = """\
import json, sys
from zoo_transformers.declaration import TrainedTokenizer, Transformers
from zoo_transformers.tokenizer_training import fit
cells = json.loads(sys.argv[1])
sizes = (16, 60, 300)
trained = [[fit(Transformers(tokenizer=TrainedTokenizer(train=each, vocab_size=size)), None, cells) for size in sizes]
           for each in ("wordpiece", "bpe", "unigram")]
print(json.dumps(trained))
"""


def learn(algorithm: Any, size: int = 80, cells: list[Any] = CELLS) -> dict[str, Any]:
    return fit(Transformers(tokenizer=TrainedTokenizer(train=algorithm, vocab_size=size)), SimpleNamespace(), cells)


def trained(algorithm: Any, size: int = 80, **options: Any) -> Any:
    tokenizer = TrainedTokenizer(train=algorithm, vocab_size=size)
    return make_text("bert", tokenizer=tokenizer, fitted=learn(algorithm, size), config=SIZES | options)


@every
def test_a_tokenizer_is_trained_on_the_texts(algorithm: str) -> None:
    tokenizer = Tokenizer.from_str(json.dumps(learn(algorithm)["tokenizer"]))
    assert tokenizer.get_vocab_size() <= 80
    seen = tokenizer.encode("the quick fox").tokens
    assert len(seen) < 10
    assert "".join(seen[1:-1]).replace("Ġ", "").replace("▁", "").replace("##", "") == "thequickfox"
    assert tokenizer.decode(tokenizer.encode("the quick fox").ids).strip() == "the quick fox"
    assert {seen[0], seen[-1]} <= {"[CLS]", "[SEP]", "<s>", "</s>"}


def test_the_same_texts_give_the_same_tokenizer_in_every_process() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONHASHSEED"}
    command = [sys.executable, "-c", CODE, json.dumps(CELLS)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, env=environment) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    again = [[learn(algorithm, size) for size in (16, 60, 300)] for algorithm in ALGORITHMS]
    assert json.loads(runs[0].stdout) == again


@every
def test_training_leaves_the_environment_alone(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    learn(algorithm)
    assert "TOKENIZERS_PARALLELISM" not in os.environ


@every
@pytest.mark.parametrize("cells", [[], ["", "  "], [None]])
def test_no_text_to_train_on_is_told(algorithm: str, cells: list[Any]) -> None:
    with pytest.raises(UsageError, match="have no text to train it on"):
        learn(algorithm, cells=cells)


@pytest.mark.parametrize("tokenizer", [None, "some/repository"])
def test_nothing_is_learnt_where_no_tokenizer_is_trained(tokenizer: str | None) -> None:
    assert fit(Transformers(tokenizer=tokenizer), SimpleNamespace(), ["text"]) == {}


@every
def test_the_vocabulary_of_the_network_is_that_of_the_trained_tokenizer(algorithm: str) -> None:
    backbone = make_text(
        "modernbert",
        tokenizer=TrainedTokenizer(train=algorithm, vocab_size=80),  # type: ignore[arg-type]  # one of three
        fitted=learn(algorithm),
        config={key: value for key, value in TEXT.items() if key != "vocab_size"},
    )
    vocabulary = Tokenizer.from_str(json.dumps(learn(algorithm)["tokenizer"])).get_vocab()
    config = backbone.network.config
    assert config.vocab_size == len(vocabulary) == len(backbone.network.get_input_embeddings().weight)
    assert config.pad_token_id == backbone.padding_value == vocabulary["[PAD]" if algorithm == "wordpiece" else "<pad>"]
    assert config.cls_token_id == vocabulary["[CLS]" if algorithm == "wordpiece" else "<s>"]
    assert backbone.prepare("the quick fox").max() < config.vocab_size


@every
def test_a_trained_tokenizer_comes_back_from_the_runs_files(algorithm: str, tmp_path: Path) -> None:
    backbone = trained(algorithm)
    assert learn(algorithm)["tokenizer"] == json.loads(backbone.files()["tokenizer.json"])
    again = make_text("some/run", store(tmp_path, backbone.files()))
    assert again.prepare("the quick fox").tolist() == backbone.prepare("the quick fox").tolist()
    assert again.files() == backbone.files()


@pytest.mark.parametrize(
    ("change", "learnt_told", "file_told"),
    [
        (("post_processor", {"special_tokens": {}}), "its tokenizer is damaged", "its tokenizer is damaged"),
        (
            ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
            "the tokenizer that it learnt is none: Precompiled",
            "Precompiled",
        ),
    ],
    ids=["as it encodes", "as it is read"],
)
def test_a_tokenizer_over_which_the_library_panics_is_refused(
    change: tuple[str, dict[str, Any]], learnt_told: str, file_told: str, tmp_path: Path
) -> None:
    """What it raises then is no `Exception`."""
    learnt = learn("wordpiece")
    key, values = change
    learnt["tokenizer"][key] = {**(learnt["tokenizer"][key] if "type" not in values else {}), **values}
    tokenizer = TrainedTokenizer(train="wordpiece", vocab_size=80)
    with pytest.raises(UsageError, match=learnt_told):
        make_text("bert", tokenizer=tokenizer, fitted=learnt, config=SIZES)
    files = trained("wordpiece").files() | {"tokenizer.json": json.dumps(learnt["tokenizer"])}
    with pytest.raises(UsageError, match=rf"tokenizer\.json` is no tokenizer: {file_told}"):
        make_text("some/run", store(tmp_path, files))


@pytest.mark.parametrize(
    "model",
    [
        {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": {"a": 0}},
        {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"a": 0}},
        {"type": "Unigram", "unk_id": None, "vocab": [["a", -1.0]]},
    ],
    ids=lambda model: str(model["type"]),
)
def test_a_word_that_a_tokenizer_has_no_token_for_is_told(model: dict[str, Any]) -> None:
    told = json.loads(tokenizer_of(*WORDS)) | {"post_processor": None, "padding": None, "added_tokens": []}
    limited = {"max_input_chars_per_word": 100} if model["type"] == "WordPiece" else {}
    prepare = Tokenize(Tokenizer.from_str(json.dumps(told | {"model": model | limited})), pad=0, longest=8)
    assert prepare("a").tolist() == [0]
    with pytest.raises(UsageError, match=r"has no token for a part of 'zoo': .*(\[UNK\]|unk_id)"):
        prepare("zoo")


@pytest.mark.parametrize(("longest", "fixed"), [(-1, None), (2**70, None), (8, -1), (8, 2**70)])
def test_a_length_that_the_library_does_not_take_is_told(longest: int, fixed: int | None) -> None:
    with pytest.raises(UsageError, match=r"cannot (cut|pad) texts .*to (-1|1180591620717411303424) tokens: "):
        Tokenize(Tokenizer.from_str(tokenizer_of(*WORDS)), 0, longest, fixed)


def test_an_older_form_that_the_library_cannot_read_is_told(tmp_path: Path) -> None:
    files = bert(tmp_path, vocab__txt="\n".join(WORDS) + "\n", tokenizer_config__json="{")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"`vocab\.txt` and what is beside it are no tokenizer: "):
        make_text("org/old-bert", files)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_is_no_fault_of_a_tokenizer_passes(error: type[BaseException]) -> None:
    def stop(text: str) -> Any:
        raise error

    tokenizer: Any = SimpleNamespace(encode=stop, enable_truncation=lambda longest: None)
    with pytest.raises(error):
        Tokenize(tokenizer, pad=0, longest=8)("sea")


def test_a_vocabulary_may_be_larger_than_the_tokenizer_but_not_smaller() -> None:
    assert trained("bpe", vocab_size=128).network.config.vocab_size == 128
    with pytest.raises(UsageError, match="`vocab_size: 20` is less than the tokenizer's 72; leave it out"):
        trained("bpe", vocab_size=20)


def test_the_vocabulary_of_a_tower_is_said_in_its_part() -> None:
    said = {"text_config": {**TEXT, "vocab_size": 128}}
    tokenizer = TrainedTokenizer(train="bpe", vocab_size=80)
    backbone = make_text("clip", tokenizer=tokenizer, fitted=learn("bpe"), config=said)
    assert backbone.network.config.vocab_size == 128


def test_before_training_the_vocabulary_is_as_large_as_it_may_become() -> None:
    backbone = make_text("bert", tokenizer=TrainedTokenizer(train="bpe", vocab_size=99), config={"hidden_size": 12})
    assert backbone.network.config.vocab_size == 99
    with pytest.raises(UsageError, match="no tokenizer"):
        backbone.prepare("text")


def test_a_given_folder_has_the_tokenizer(tmp_path: Path) -> None:
    place = store(tmp_path / "given", {"tokenizer.json": tokenizer_of(*WORDS)}).folder
    backbone = make_text("bert", tokenizer=str(place), config={**TEXT, "vocab_size": 12})
    assert backbone.prepare("blue sea").tolist() == [7, 9]
    assert backbone.network.config.vocab_size == 12
    with pytest.raises(UsageError, match=r"has no `tokenizer.json`"):
        make_text("bert", tokenizer=str(tmp_path), config=TEXT)
    (place / "tokenizer.json").write_text("{}")
    with pytest.raises(UsageError, match="is no tokenizer"):
        make_text("bert", tokenizer=str(place), config=TEXT)


def test_a_given_tokenizer_without_padding_gets_one(tmp_path: Path) -> None:
    place = store(tmp_path, {"tokenizer.json": tokenizer_of("[UNK]", "red", "sea")}).folder
    backbone = make_text("bert", tokenizer=str(place), config=SIZES)
    assert backbone.padding_value == backbone.network.config.pad_token_id == 3
    assert backbone.network.config.vocab_size == 4
    assert backbone.network.get_input_embeddings().padding_idx == 3


def test_a_given_repository_is_fetched_once_and_then_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store(tmp_path / "hub", {"tokenizer.json": tokenizer_of(*WORDS)}).folder / "tokenizer.json"
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda repo, name, **more: str(path))
    backbone = make_text("bert", tokenizer="some/tokenizer", config={"hidden_size": 12})
    assert backbone.prepare("red").tolist() == [5]
    files = store(tmp_path / "run", backbone.files())
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *some, **more: pytest.fail("fetched again"))
    again = make_text("bert", files, tokenizer="some/tokenizer", config={"hidden_size": 12})
    assert again.prepare("red").tolist() == [5]
    assert again.files() == backbone.files()


def test_a_repository_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*some: Any, **more: Any) -> str:
        raise OSError("no network here\nand more")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(UsageError, match=r"`nothing/here` is no folder, and no `tokenizer.json` .* no network here$"):
        make_text("bert", tokenizer="nothing/here", config=TEXT)


def test_a_vocabulary_in_an_older_form_is_read_by_the_library(tmp_path: Path) -> None:
    files = bert(tmp_path, vocab__txt="\n".join(WORDS) + "\n", tokenizer_config__json='{"do_lower_case": true}')
    (tmp_path / "tokenizer.json").unlink()
    backbone = make_text("org/old-bert", files)
    assert backbone.prepare("RED sky").tolist() == [2, 5, 8, 3]
    assert "tokenizer.json" in backbone.files()


def test_rows_of_shared_tokens_are_kept_and_new_ones_start_at_the_mean(tmp_path: Path) -> None:
    weights = bert(tmp_path / "weights")
    given = store(tmp_path / "given", {"tokenizer.json": tokenizer_of("[UNK]", "sea", "cliff", "red", "[PAD]", "sand")})
    original = make_text("bert", weights)
    state = original.state_dict()
    backbone = make_text("bert", weights, tokenizer=str(given.folder))
    adapted = backbone.adapt(state)
    name = "network.embeddings.word_embeddings.weight"
    old, new = state[name], adapted.tensors[name]
    assert torch.equal(new[[0, 1, 3, 4]], old[[1, 9, 5, 0]])
    for row in (2, 5):
        assert (new[row] - old.mean(0)).abs().max() < 0.02 * old.std(0).max()
    assert not torch.equal(new[2], new[5])
    assert adapted.resized == {name: "10 rows to 6: 4 of shared tokens kept, 2 new ones start at the mean"}
    assert all(adapted.tensors[each] is state[each] for each in state if each != name)
    planned = backbone.adapt(backbone.reference())
    assert planned.resized == adapted.resized
    assert planned.tensors[name].shape == new.shape


def test_a_vocabulary_of_the_same_size_is_another_vocabulary(tmp_path: Path) -> None:
    weights = bert(tmp_path / "weights")
    given = store(tmp_path / "given", {"tokenizer.json": tokenizer_of(*reversed(WORDS))})
    state = make_text("bert", weights).state_dict()
    backbone = make_text("bert", weights, tokenizer=str(given.folder))
    name = "network.embeddings.word_embeddings.weight"
    assert torch.equal(backbone.adapt(state).tensors[name], state[name].flip(0))
    backbone.load_state_dict(backbone.adapt(state).tensors)
    run = store(tmp_path / "run", backbone.files())
    again = make_text("bert", run, tokenizer=str(given.folder))
    assert torch.equal(again.adapt(backbone.state_dict()).tensors[name], backbone.state_dict()[name])


def test_positions_that_count_from_the_padding_move_with_it(tmp_path: Path) -> None:
    config = transformers.RobertaConfig(**BERT | {"pad_token_id": 1})
    weights = files_of(tmp_path / "weights", config)
    given = store(tmp_path / "given", {"tokenizer.json": tokenizer_of("[UNK]", "red", "sea", "[PAD]")})
    original = make_text("roberta", weights)
    backbone = make_text("roberta", weights, tokenizer=str(given.folder))
    assert (original.padding_value, backbone.padding_value) == (1, 3)
    name = "network.embeddings.position_embeddings.weight"
    adapted = backbone.adapt(original.state_dict())
    assert torch.equal(adapted.tensors[name][4:], original.state_dict()[name][2:14])
    assert "moved by 2" in adapted.resized[name]


def test_shared_rows() -> None:
    assert shared_rows({"a": 0, "b": 2}, {"b": 0, "c": 1, "a": 3}, 3, 4).tolist() == [2, -1, -1, 0]
    assert shared_rows({"a": 0}, {"a": 0}, 2, 4).tolist() == [0, 1, -1, -1]
    assert shared_rows({}, {"a": 0}, 2, 1).tolist() == [-1]


def test_moved_rows_are_the_same_in_every_run_and_of_the_same_type() -> None:
    table = torch.randn(6, 4).half()
    source = torch.tensor([3, -1, -1])
    moved, _ = move_rows(table, source)
    assert moved.dtype == torch.float16
    assert torch.equal(moved, move_rows(table, source)[0])
    assert torch.equal(moved[0], table[3])


def test_rows_of_another_vocabulary_can_be_planned() -> None:
    with torch.device("meta"):
        source = shared_rows({"a": 0, "b": 1}, {"b": 0, "c": 1, "a": 2}, rows=2, size=3)
        moved, told = move_rows(torch.empty(2, 4), source)
    assert source.tolist() == [1, -1, 0]
    assert moved.is_meta and moved.shape == (3, 4)
    assert told == "2 rows to 3: 2 of shared tokens kept, 1 new ones start at the mean"

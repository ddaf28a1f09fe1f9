"""Tiny models as libraries publish them, and what the libraries and zoo make of each.

`say_libraries` and `build_runs` are for processes of their own, by `tests.loopback.client.ask`.
"""

import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

TEXT = "A photo of the red dog, and unknownness."
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "photo", "of", "the", "red", "dog", ",", "and", ".", "un", "##known")
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SPEECH: dict[str, Any] = {
    "extractor_conv_layer_config": [[16, 10, 5], *[[16, 3, 2]] * 4, *[[16, 2, 2]] * 2],
    "encoder_embed_dim": 32,
    "encoder_num_layers": 2,
    "encoder_num_heads": 4,
    "encoder_ff_interm_features": 64,
    "encoder_pos_conv_kernel": 8,
    "encoder_pos_conv_groups": 4,
}
"""Sizes of a speech encoder, where those that torchaudio publishes have hundreds of megabytes."""


def picture() -> Image.Image:
    """A picture of 64 x 80 pixels."""
    grey = np.random.default_rng(0).integers(0, 255, (8, 10, 3), dtype=np.uint8)
    return Image.fromarray(grey).resize((80, 64), Image.Resampling.BICUBIC)


def sound() -> Tensor:
    """A fifth of a second, `(samples,)`."""
    return torch.randn(3200, generator=torch.Generator().manual_seed(1)) / 10


def files_in(folder: Path) -> dict[str, bytes]:
    """What is in a folder, by name."""
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def timm_files(name: str, folder: Path, **said: Any) -> dict[str, bytes]:
    """What timm publishes of a model; its weights are random numbers, its norm statistics too.

    Args:
        name: The architecture.
        folder: A new folder to write to.
        said: What the configuration says that the model is for, such as its mean.
    """
    import timm

    torch.manual_seed(0)
    model = timm.create_model(name)
    for key, each in model.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            each.uniform_(0.5, 1.5)
    timm.models.save_for_hf(model, folder, {**model.pretrained_cfg, **said}, safe_serialization=True)
    return files_in(folder)


def bert_files(folder: Path, *, shard: int = 1 << 30, seed: int = 1) -> dict[str, bytes]:
    """What transformers publishes of a text encoder and its tokenizer.

    Args:
        folder: A new folder to write to.
        shard: Bytes of each file of weights, at most.
        seed: Of the weights.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    model = BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=300, **SIZES))
    model.save_pretrained(folder, max_shard_size=shard)
    words = Tokenizer(models.WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    return files_in(folder)


def vit_files(folder: Path) -> dict[str, bytes]:
    """What transformers publishes of an encoder of pictures, with how it wants them."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    torch.manual_seed(2)
    ViTModel(ViTConfig(image_size=32, patch_size=8, **SIZES)).save_pretrained(folder)
    mean, deviation = [0.1, 0.2, 0.3], [0.7, 0.8, 0.9]
    ViTImageProcessor(size={"height": 32, "width": 32}, image_mean=mean, image_std=deviation).save_pretrained(folder)
    return files_in(folder)


def save_speech(path: Path) -> None:
    """Writes what torchaudio publishes of a speech encoder, in its own format."""
    from zoo_torchaudio.pipeline import bundles, network

    torch.manual_seed(3)
    torch.save(network(bundles()["wav2vec2_base"], **SPEECH).state_dict(), path)


def send_on(address: str) -> None:
    """Has whoever asks for an https address be answered by a server of this machine instead."""

    class Elsewhere(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            path = f"{address}{urlsplit(request.full_url).path}"
            return urllib.request.urlopen(urllib.request.Request(path, method=request.get_method()))

    urllib.request.install_opener(urllib.request.build_opener(Elsewhere))


def by_timm(name: str) -> dict[str, Tensor]:
    """What timm itself makes of the picture."""
    import timm
    from timm.data import create_transform, resolve_data_config

    model = timm.create_model(name, pretrained=True).eval()
    values = create_transform(**resolve_data_config({}, model=model))(picture()).unsqueeze(0)
    return {"values": values, "pooled": model.forward_head(model.forward_features(values), pre_logits=True)}


def by_transformers_text(name: str) -> dict[str, Tensor]:
    """What transformers itself makes of the text."""
    from transformers import AutoModel, AutoTokenizer

    repo, _, revision = name.partition("@")
    chosen = {"revision": revision or "main"}
    values = AutoTokenizer.from_pretrained(repo, **chosen)(TEXT, return_tensors="pt")["input_ids"]
    tokens = AutoModel.from_pretrained(repo, **chosen).eval()(values).last_hidden_state
    return {"values": values, "tokens": tokens}


def by_transformers_image(name: str) -> dict[str, Tensor]:
    """What transformers itself makes of the picture."""
    from transformers import AutoImageProcessor, AutoModel

    values = AutoImageProcessor.from_pretrained(name)(picture(), return_tensors="pt")["pixel_values"]
    tokens = AutoModel.from_pretrained(name).eval()(values).last_hidden_state
    return {"values": values, "tokens": tokens, "pooled": tokens[:, 0]}


def by_torchaudio(name: str) -> dict[str, Tensor]:
    """What torchaudio itself makes of the sound."""
    from zoo_torchaudio.pipeline import bundles

    bundle = bundles()[name]
    model = replace(bundle, _params={**bundle._params, **SPEECH}).get_model()
    return {"values": sound().unsqueeze(0), "tokens": model(sound().unsqueeze(0))[0]}


BY: Mapping[str, Callable[[str], dict[str, Tensor]]] = {
    "timm": by_timm,
    "text": by_transformers_text,
    "image": by_transformers_image,
    "torchaudio": by_torchaudio,
}


def say_libraries(cases: Mapping[str, tuple[str, str]], folder: str, address: str) -> None:
    """What each library itself makes of its model.

    Args:
        cases: By name of the case, the library and what it calls the model.
        folder: Where to write it.
        address: Where https addresses are answered.
    """
    send_on(address)
    for case, (library, name) in cases.items():
        with torch.no_grad():
            said = BY[library](name)
        save_file({key: each.clone().contiguous() for key, each in said.items()}, Path(folder) / f"{case}.safetensors")


def build_runs(
    specs: Mapping[str, str], folder: str, address: str, of_libraries: str | None = None
) -> dict[str, tuple[int, str]]:
    """Builds specs by zoo.

    Args:
        specs: The text of each by its name.
        folder: Where the runs go.
        address: Where https addresses are answered.
        of_libraries: Where `say_libraries` wrote; with it the runs say their part too.

    Returns:
        The exit code of each, and what was printed.
    """
    from tests.command import run

    send_on(address)
    told = {}
    for case, text in specs.items():
        (Path(folder) / f"{case}.yaml").write_text(text)
        done = run("build", Path(folder) / f"{case}.yaml", "-o", Path(folder) / case)
        told[case] = done.exit_code, done.stdout + done.stderr
        if of_libraries is not None and done.exit_code == 0:
            say_run(Path(folder) / case, load_file(Path(of_libraries) / f"{case}.safetensors")["values"])
    return told


def say_run(run: Path, values: Tensor) -> None:
    """What a run makes of the values that the library was given, and how it prepares its own; written beside the run.

    Args:
        run: Where it is.
        values: A batch of one.
    """
    from zoo import Values
    from zoo.model.run import read_run

    raw = {"image": torch.from_numpy(np.array(picture())).permute(2, 0, 1), "text": TEXT, "audio": sound()}
    model = read_run(run)
    backbone = model.backbone("it").eval()
    with torch.no_grad():
        features = backbone(Values(values))
    prepared = backbone.prepare(raw[model.inputs["it"].value.modality]).unsqueeze(0)
    said = {"values": prepared, "tokens": features.tokens, "pooled": features.pooled}
    save_file({key: each.clone().contiguous() for key, each in said.items()}, run.with_suffix(".safetensors"))

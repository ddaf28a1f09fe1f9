"""The library's own network of one tower, made from its configuration, and what stands where in it."""

import inspect
import re
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import nn
from transformers.configuration_utils import PreTrainedConfig
from transformers.initialization import no_init_weights
from transformers.modeling_utils import PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_MAPPING_NAMES,
)

from zoo import UsageError
from zoo_transformers.configuration import layers_of, quiet
from zoo_transformers.index import width

# Parameters of these stand behind the layers in the module, and feed all of them.
EARLY = re.compile(r"(^|\.)(embed\w*|rel_embeddings|relative_attention_bias|shared_position_bias|pos_conv_embed)\.")

LATE = "encoder.layer_norm."
"""It stands before the layers of wav2vec 2.0 and is behind them where the norms come first."""


def make_network(config: PreTrainedConfig, *, pooler: bool) -> PreTrainedModel:
    """The encoder of a tower, on torch's default device.

    Args:
        config: Configuration of the tower; an encoder-decoder gives its encoder alone.
        pooler: Whether to build the pooling layer, of architectures that can do without.

    Raises:
        UsageError: The architecture cannot be built from this configuration.
    """
    cls = network_class(config)
    options = {"add_pooling_layer": pooler} if "add_pooling_layer" in inspect.signature(cls).parameters else {}
    if hasattr(config, "use_cache"):
        config.use_cache = False
    padding, rows = getattr(config, "pad_token_id", None), getattr(config, "vocab_size", None)
    if isinstance(padding, int) and isinstance(rows, int) and not 0 <= padding < rows:
        config.pad_token_id = None  # no embedding takes a row of padding that it does not have
    # Where tensors get no memory, their random start would only cost time.
    filled = nullcontext() if not torch.empty(0).is_meta else no_init_weights()
    try:
        with quiet(), filled:
            network: PreTrainedModel = cls(config, **options)
        network.tie_weights()
    except Exception as error:  # each architecture has checks of its own, with errors of its own
        raise UsageError(f"`{config.model_type}` cannot be built from this configuration: {error}") from error
    return network


def network_class(config: PreTrainedConfig) -> type[PreTrainedModel]:
    """The class of the encoder; only the module that defines it is imported.

    Raises:
        UsageError: transformers has no encoder for this configuration.
    """
    cls = type(config)
    path = cls.__module__.replace(".configuration_", ".modeling_")
    module = import_module(path) if find_spec(path) else None
    stem = cls.__name__.removesuffix("Config")
    named = MODEL_MAPPING_NAMES.get(config.model_type)
    names = (f"{stem}Stack", f"{stem}Encoder") if cls.is_encoder_decoder else (named, f"{stem}Model")
    for name in names:
        found = getattr(module, name, None) if isinstance(name, str) else None
        if isinstance(found, type) and issubclass(found, PreTrainedModel):
            return found
    raise UsageError(f"transformers has no encoder of its own for `{config.model_type}`")


def what_it_reads(config: PreTrainedConfig) -> list[str]:
    """What must be given to the encoder, its main input first."""
    cls = network_class(config)
    arguments = list(inspect.signature(cls.forward).parameters.values())[2:]
    named = [each for each in arguments if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    return [cls.main_input_name, *(each.name for each in named if each.default is each.empty)]


def pools_itself(config: PreTrainedConfig) -> bool:
    """Whether the encoder gives a pooled output beside its tokens."""
    return "pooler_output=" in inspect.getsource(network_class(config).forward)


def is_causal(config: PreTrainedConfig) -> bool:
    """Whether a token sees only those before it, so that the last one has read the text."""
    if type(config).is_encoder_decoder:
        return False
    decoder = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return bool(getattr(config, "is_decoder", False)) or (
        decoder and config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def embedding_name(network: PreTrainedModel) -> str:
    """Name of the table of the tokens' embeddings; "" where there is none."""
    try:
        table = network.get_input_embeddings()
    except NotImplementedError:  # canine hashes letters into several
        return ""
    return next((f"{path}.weight" for path, each in network.named_modules() if each is table), "")


def layer_groups(network: PreTrainedModel, prefix: str) -> list[list[str]]:
    """Names of all parameters and persistent buffers: embeddings, each layer, what follows.

    Args:
        network: The network.
        prefix: What stands before its names in the backbone.
    """
    path = _layers_path(network)
    layers = re.compile(rf"{re.escape(path)}\.(\d+)\." if path else r"(?!)")
    count = len(network.get_submodule(path)) if path else 0
    groups: list[list[str]] = [[] for _ in range(count + 2)]
    last = LATE if getattr(network.config, "do_stable_layer_norm", False) else "\0"
    seen = False
    for name in network.state_dict():
        if found := layers.match(name):
            seen = True
            groups[int(found[1]) + 1].append(prefix + name)
        else:
            behind = name.startswith(last) or (seen and not EARLY.search(name))
            groups[-1 if behind else 0].append(prefix + name)
    return [group for group in groups if group]


def _layers_path(network: PreTrainedModel) -> str:
    """Where the list of layers is: as long as the configuration says, and the one with most parameters."""
    lists = {path: each for path, each in network.named_modules() if isinstance(each, nn.ModuleList)}
    outer = {path: each for path, each in lists.items() if not any(path.startswith(f"{other}.") for other in lists)}
    layers = layers_of(network.config)
    fitting = {path: each for path, each in outer.items() if len(each) == layers} or outer
    return max(fitting, key=lambda path: (_attends(fitting[path]), _size(fitting[path])), default="")


def _attends(layers: nn.ModuleList) -> bool:
    return any("attention" in type(each).__name__.lower() for each in layers.modules())


def _size(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def width_of(config: PreTrainedConfig) -> int:
    """Width of the hidden states.

    Raises:
        UsageError: The configuration does not tell.
    """
    known: int | None = config.output_hidden_size if getattr(config, "add_adapter", False) else width(config)
    if known is None:
        raise UsageError(f"`{config.model_type}` does not tell how wide its features are, so it can be no backbone")
    return known

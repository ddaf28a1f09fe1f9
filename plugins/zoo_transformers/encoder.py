"""What the encoders of all modalities share: running the library's network, reading it, fitting weights to it."""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_utils import PreTrainedModel

from zoo import Adapted, Backbone, Features, UsageError, Values
from zoo_transformers.configuration import OURS, Configured
from zoo_transformers.names import matched
from zoo_transformers.network import layer_groups, make_network
from zoo_transformers.pool import Way, pool_tokens

PREFIX = "network."
# Architectures whose positions are all in the embeddings, so that some tokens can be left out after these.
ABSOLUTE = frozenset(
    (
        *("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"),
        *("clip_vision_model", "deit", "dinov2", "siglip_vision_model", "vit"),
        "audio-spectrogram-transformer",
    )
)


class Encoder(Backbone):
    """A network of transformers that encodes values of one modality.

    Args:
        configured: Its configuration.
        way: How its tokens become one vector.
        pooler: Whether the network is built with its pooling layer, where it can do without.
    """

    special = 0
    """Tokens in front that stand for no part of the input: class, distillation and register tokens."""

    main = ""
    """What the network calls its input."""

    embedded = ""
    """What it calls the input in the place of embeddings that are made already."""

    def __init__(self, configured: Configured, way: Way, pooler: bool) -> None:
        super().__init__()
        self.configured = configured
        self.way = way
        self.network: PreTrainedModel = make_network(configured.config, pooler=pooler)
        self._pooler = pooler

    @property
    def config(self) -> PreTrainedConfig:
        """The network's configuration."""
        return self.configured.config

    @abstractmethod
    def read(self, values: Values) -> tuple[Tensor, dict[str, Tensor], Bool[Tensor, "batch tokens"] | None]:
        """What the network is given: its input, what goes with it, and the mask of the tokens that it will give."""

    def run(self, inputs: Mapping[str, Tensor], **wanted: bool) -> Any:
        """What the network gives for its inputs."""
        return self.network(**inputs, **wanted)

    def forward(self, values: Values) -> Features:
        """Tokens and their pooled vector."""
        data, more, mask = self.read(values)
        return self.features_of(self.run({self.main: data, **more}), mask)

    def stages(self, values: Values) -> list[Float[Tensor, "batch _dim"]]:
        """The mean of the real tokens after each layer; of the last layer what `forward` pools."""
        data, more, mask = self.read(values)
        outputs = self.run({self.main: data, **more}, output_hidden_states=True)
        way: Way = "last" if self.way == "last" else "mean"
        between = [pool_tokens(_as_tokens(each), mask, way, self.special) for each in outputs.hidden_states[1:-1]]
        return [*between, self.features_of(outputs, mask).pooled]

    def embed(self, values: Values) -> tuple[Float[Tensor, "batch tokens dim"], Bool[Tensor, "batch tokens"] | None]:
        """Tokens with their positions, class tokens in front, and their mask.

        Raises:
            UsageError: This architecture mixes positions into its layers.
        """
        embeddings = self._embeddings()
        data, _, mask = self.read(values)
        tokens: Tensor = embeddings(data)
        return tokens, mask

    def encode(
        self,
        tokens: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        keep: Int[Tensor, "batch kept"] | None = None,
    ) -> Features:
        """Features of embedded tokens, of those in `keep` alone where given.

        Raises:
            UsageError: This architecture mixes positions into its layers.
        """
        if keep is not None:
            tokens = tokens.gather(1, keep.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))
            mask = None if mask is None else mask.gather(1, keep)
        more = {} if mask is None else {"attention_mask": mask.long()}
        with _giving(self._embeddings(), tokens):
            return self.features_of(self.run({self.embedded: tokens, **more}), mask)

    def layer_groups(self) -> list[list[str]]:
        """Embeddings, each layer, and what follows the layers."""
        return layer_groups(self.network, PREFIX)

    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        """Fits weights of this architecture, or of a bigger model that holds it, under any of their names."""
        own = self.network.state_dict()
        found, unused = matched(self.network, own, state)
        tensors, resized = {}, {}
        for name, tensor in found.items():
            tensors[PREFIX + name], change = self.fitted(name, tensor, own[name])
            if change:
                resized[PREFIX + name] = change
        return Adapted(tensors, resized, unused)

    def fitted(self, name: str, tensor: Tensor, own: Tensor) -> tuple[Tensor, str]:
        """A tensor of the weights in the shape that it has here, and what was changed about it.

        Args:
            name: Its name in the network.
            tensor: As it is in the weights.
            own: As it is here.

        Raises:
            ValueError: Its shape does not fit and nothing can be done about it.
        """
        if tensor.shape != own.shape:
            raise ValueError(f"`{name}` is {list(tensor.shape)} in the weights and {list(own.shape)} here")
        return tensor, ""

    def reference(self) -> Mapping[str, Tensor]:
        """The tensors of this tower as the weights have them, before anything was changed about it."""
        with torch.device("meta"):
            original = make_network(self.configured.original, pooler=self._pooler)
        return {PREFIX + name: tensor.to("meta") for name, tensor in original.state_dict().items()}

    def recompute(self) -> None:
        """Makes the backward pass compute the layers again, where the library can for this network."""
        if not self.network.supports_gradient_checkpointing:
            raise NotImplementedError
        # Until transformers 5.23 the method had an older name, which is now a deprecated one.
        known = hasattr(self.network, "activation_checkpointing_enable")
        enable = getattr(self.network, "activation_checkpointing_enable" if known else "gradient_checkpointing_enable")
        enable({"use_reentrant": False})

    def files(self) -> Mapping[str, str]:
        """`config.json` of this tower alone, in which `zoo` holds what else it was built from."""
        entries = json.loads(self.config.to_json_string(use_diff=False))
        return {"config.json": json.dumps(entries | {OURS: self.notes()}, indent=2, sort_keys=True) + "\n"}

    def notes(self) -> dict[str, Any]:
        """What must be known beside the configuration to build it again."""
        return {"pool": self.way}

    def features_of(self, outputs: Any, mask: Bool[Tensor, "batch tokens"] | None) -> Features:
        """The network's outputs as features."""
        tokens = _as_tokens(outputs.last_hidden_state)
        if self.way == "network":
            return Features(tokens, outputs.pooler_output.flatten(1), mask)
        return Features(tokens, pool_tokens(tokens, mask, self.way, self.special), mask)

    def _embeddings(self) -> nn.Module:
        if self.config.model_type not in ABSOLUTE:
            raise UsageError(
                f"`{self.configured.model_type}` cannot leave tokens out: its positions are not in its embeddings alone"
            )
        embeddings: nn.Module = self.network.embeddings
        return embeddings


def _as_tokens(hidden: Tensor) -> Float[Tensor, "batch tokens dim"]:
    """A feature map `(batch, channels, height, width)` as tokens; tokens as they are."""
    return hidden.flatten(2).transpose(1, 2) if hidden.dim() == 4 else hidden


@contextmanager
def _giving(module: nn.Module, output: Tensor) -> Iterator[None]:
    """While active, the module gives this output, so that a network runs from its embeddings on."""
    module.forward = lambda *args, **kwargs: output
    try:
        yield
    finally:
        del module.forward

"""What stands around a component that is tried: pictures, and a backbone that gives all that a head may need."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext, InputContext, InputType, ValueSpec
from zoo.features import Features, Values, masked_mean

SIDE, PATCH, DIM, POOLED = 16, 4, 8, 12
"""Sides of a picture and a patch in pixels; widths of tokens and of pooled features, which are not the same."""


def build_input(options: None, context: InputContext) -> "Pictures":
    """The stand-in of an input."""
    return Pictures()


class Pictures(InputType):
    """Tensors `(3, 16, 16)`, as they are."""

    value = ValueSpec(modality="image", shape=(3, SIDE, SIDE))

    def decode(self, cell: Any, folder: Path) -> Tensor:
        """The cell itself."""
        return torch.as_tensor(cell)


def build_backbone(options: None, context: BackboneContext) -> "Patches":
    """The stand-in of a backbone."""
    return Patches()


class Patches(Backbone):
    """A token for each patch, one layer over each, and maps of strides 4 and 8."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, DIM, PATCH, PATCH)
        self.coarse = nn.Conv2d(DIM, DIM, 2, 2)
        self.layer, self.pool = nn.Linear(DIM, DIM), nn.Linear(DIM, POOLED)
        tokens = (SIDE // PATCH) ** 2
        self.features = FeatureSpec(dim=DIM, pooled_dim=POOLED, tokens=tokens, maps=((DIM, PATCH), (DIM, 2 * PATCH)))
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        """Tokens and their mean, widened."""
        return self.encode(*self.embed(values))

    def pyramid(self, values: Values) -> Features:
        """The same, with maps."""
        features = self(values)
        fine = features.tokens.transpose(1, 2).unflatten(2, (SIDE // PATCH, -1))
        return Features(features.tokens, features.pooled, features.mask, (fine, self.coarse(fine)))

    def embed(self, values: Values) -> tuple[Float[Tensor, "batch tokens dim"], None]:
        """The patches."""
        assert isinstance(values.data, Tensor)
        return self.patches(values.data).flatten(2).transpose(1, 2), None

    def encode(
        self,
        tokens: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        keep: Int[Tensor, "batch kept"] | None = None,
    ) -> Features:
        """The layer over each token, or over those kept."""
        if keep is not None:
            tokens = tokens.gather(1, keep[..., None].expand(-1, -1, DIM))
        mixed = self.layer(tokens)
        return Features(mixed, self.pool(masked_mean(mixed, None)))

    def example(self, batch: int) -> Values:
        """Black pictures."""
        return Values(torch.zeros(batch, 3, SIDE, SIDE))

    def layer_groups(self) -> list[list[str]]:
        """All in one."""
        return [list(self.state_dict())]

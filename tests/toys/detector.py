"""A one-stage detector without anchors, as FCOS is (Tian et al. 2019), on pictures of different sizes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.toys.basic import names
from tests.toys.declarations import Convolution, Detector
from zoo import FeatureSpec
from zoo.contract import Backbone, BackboneContext, Head, HeadContext, Metric
from zoo.features import Features, Reading, Values


def build_pyramid(options: Convolution, context: BackboneContext) -> "Pyramid":
    return Pyramid(options)


class Pyramid(Backbone):
    """Convolutions with maps of strides 4 and 8. Pictures of different sizes are put on one canvas, top left.

    A convolution behind its bias sees where the canvas is empty, so that only pictures of one size agree exactly.
    """

    padding = "exact"

    def __init__(self, options: Convolution) -> None:
        super().__init__()
        width = options.width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 2, 1), nn.GroupNorm(2, width), nn.ReLU()
        )
        self.coarse = nn.Sequential(nn.Conv2d(width, width, 3, 2, 1), nn.GroupNorm(2, width), nn.ReLU())
        self.features = FeatureSpec(dim=width, pooled_dim=width, maps=((width, 4), (width, 8)))
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        features = self.pyramid(values)
        return Features(features.tokens, features.pooled)

    def pyramid(self, values: Values) -> Features:
        fine = self.stem(canvas(values.data))
        coarse = self.coarse(fine)
        tokens = coarse.flatten(2).transpose(1, 2)
        return Features(tokens, tokens.mean(1), maps=(fine, coarse))

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 3, 32, 32))

    def layer_groups(self) -> list[list[str]]:
        return names(self, "stem.", "coarse.")


def canvas(pictures: Tensor | list[Tensor]) -> Tensor:
    """Pictures of different sizes as one tensor, zeros below them and to their right."""
    if isinstance(pictures, Tensor):
        return pictures
    height, width = (max(picture.shape[side] for picture in pictures) for side in (1, 2))
    return torch.stack([F.pad(each, (0, width - each.shape[2], 0, height - each.shape[1])) for each in pictures])


def build_detector(options: Detector, context: HeadContext) -> "Boxes":
    return Boxes(options, context)


def _recall(rows: Mapping[str, Any]) -> float:
    return float(rows["found"].sum() / rows["objects"].sum())


class Boxes(Head):
    """At each place of each map: class scores, how central the place is in its object, and distances to its sides."""

    metrics: ClassVar[Mapping[str, Metric]] = {"recall": Metric(_recall, doc="Share of the objects that are found.")}

    def __init__(self, options: Detector, context: HeadContext) -> None:
        super().__init__()
        self.options = options
        self.strides = [stride for _, stride in context.features.maps]
        (self.input,) = context.inputs
        channels = context.features.maps[0][0]
        self.scores = nn.Conv2d(channels, len(options.classes), 3, padding=1)
        self.centre = nn.Conv2d(channels, 1, 3, padding=1)
        self.distances = nn.Conv2d(channels, 4, 3, padding=1)
        assert self.scores.bias is not None
        nn.init.constant_(self.scores.bias, -2.0)  # few places are objects

    def forward(self, reading: Reading, targets: Any = None) -> dict[str, Tensor]:
        maps = reading.fused.maps
        rows = len(maps[0])
        levels = zip(self.strides, maps, strict=True)
        places = torch.cat([_places(level, stride) for stride, level in levels])
        sizes = [picture.shape[-2:] for picture in reading.batch.inputs[self.input].data]
        return {
            "scores": _flat([self.scores(level) for level in maps]),
            "centre": _flat([self.centre(level) for level in maps]).squeeze(-1),
            "distances": _flat([self.distances(level) for level in maps]).exp() * places[:, 2:],
            "places": places.expand(rows, -1, -1),
            "sizes": torch.tensor(sizes, device=places.device),
        }

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        rows = [
            self._row_loss({name: each[row] for name, each in outputs.items()}, *target)
            for row, target in enumerate(zip(targets["boxes"], targets["labels"], strict=True))
        ]
        return torch.stack(rows).mean()

    def _row_loss(self, outputs: Mapping[str, Tensor], boxes: Tensor, labels: Tensor) -> Tensor:
        place, owner = self._assigned(outputs["places"], boxes)
        wanted = torch.zeros_like(outputs["scores"])
        wanted[place, labels[owner]] = 1
        classes = focal_loss(outputs["scores"], wanted) / max(1, len(place))
        if not len(place):
            return classes
        sides = _sides(outputs["places"][place], boxes[owner])
        near, far = sides.view(-1, 2, 2).aminmax(dim=1)
        centre = (near / far).prod(1).sqrt()
        overlap = iou(corners(outputs["places"], outputs["distances"])[place], boxes[owner])
        boxed: Tensor = ((1 - overlap) * centre).sum() / centre.sum()
        return classes + boxed + F.binary_cross_entropy_with_logits(outputs["centre"][place], centre)

    def _assigned(self, places: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """The places that stand for an object, and which: the smallest around them whose size is of their level."""
        sides = _sides(places[:, None], boxes[None])
        reach, stride = sides.amax(-1), places[:, 2:]
        low = torch.where(stride == self.strides[0], 0, 2 * stride)
        high = torch.where(stride == self.strides[-1], torch.inf, 4 * stride)
        fits = (sides.amin(-1) > 0) & (reach > low) & (reach <= high)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(1).expand_as(fits).masked_fill(~fits, torch.inf)
        place = fits.any(1).nonzero().squeeze(1)
        return place, area[place].argmin(1) if len(place) else place

    def decode(self, outputs: Any) -> list[Any]:
        return [
            self._found({name: each[row] for name, each in outputs.items()}) for row in range(len(outputs["sizes"]))
        ]

    def _found(self, outputs: Mapping[str, Tensor]) -> dict[str, Any]:
        scores, labels = (outputs["scores"].sigmoid() * outputs["centre"].sigmoid()[:, None]).sqrt().max(1)
        height, width = outputs["sizes"].tolist()
        limit = torch.tensor([width, height, width, height])
        boxes = corners(outputs["places"], outputs["distances"]).clamp(min=0).minimum(limit)
        kept: list[int] = []
        for index in scores.argsort(descending=True).tolist():
            if scores[index] < self.options.threshold:
                break
            if not any(iou(boxes[index], boxes[other]) > 0.5 for other in kept):
                kept.append(index)
        classes = [self.options.classes[label] for label in labels[kept].tolist()]
        return {"boxes": boxes[kept].tolist(), "labels": classes, "scores": scores[kept].tolist()}

    def label(self, cell: Any) -> tuple[Tensor, Tensor]:
        columns = self.options.columns
        try:
            boxes = torch.tensor(cell[columns.boxes], dtype=torch.float32).reshape(-1, 4)
            classes = [self.options.classes.index(name) for name in cell[columns.labels]]
        except (TypeError, RuntimeError) as error:
            raise ValueError(f"expected boxes of four numbers, and a class for each: {error}") from None
        if columns.format == "xywh":
            boxes[:, 2:] += boxes[:, :2]
        return boxes, torch.tensor(classes, dtype=torch.long)

    def collate(self, labels: Sequence[tuple[Tensor, Tensor]]) -> dict[str, list[Tensor]]:
        boxes, classes = zip(*labels, strict=True)
        return {"boxes": list(boxes), "labels": list(classes)}

    def rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        true = zip(self.decode(outputs), targets["boxes"], targets["labels"], strict=True)
        found = torch.tensor([self._hits(told, boxes, labels) for told, boxes, labels in true])
        return {"found": found, "objects": torch.tensor([len(boxes) for boxes in targets["boxes"]])}

    def _hits(self, told: Mapping[str, Any], boxes: Tensor, labels: Tensor) -> int:
        """How many of a picture's objects overlap by half with a box that is told of their class."""
        names = [self.options.classes[label] for label in labels.tolist()]
        said = [(torch.tensor(box), name) for box, name in zip(told["boxes"], told["labels"], strict=True)]
        return sum(
            any(name == own and iou(box, true) > 0.5 for box, name in said)
            for true, own in zip(boxes, names, strict=True)
        )


def focal_loss(scores: Tensor, wanted: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Sum of the focal loss (Lin et al. 2017)."""
    plain = F.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    right = torch.exp(-plain)
    balance = torch.where(wanted == 1, alpha, 1 - alpha)
    return (balance * (1 - right) ** gamma * plain).sum()


def corners(places: Tensor, distances: Tensor) -> Tensor:
    """Boxes from left, top, right and bottom distances."""
    return torch.cat([places[..., :2] - distances[..., :2], places[..., :2] + distances[..., 2:]], -1)


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union, box by box."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = sum((each[..., 2:] - each[..., :2]).prod(-1) for each in (first, second))
    return shared / (areas - shared)


def _sides(places: Tensor, boxes: Tensor) -> Tensor:
    """Distances to the left, top, right and bottom side."""
    return torch.cat([places[..., :2] - boxes[..., :2], boxes[..., 2:] - places[..., :2]], -1)


def _places(level: Tensor, stride: int) -> Tensor:
    """x, y and stride of each place of a map, in pixels."""
    height, width = level.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    middle = torch.stack([x, y], -1).reshape(-1, 2).to(level) * stride + stride / 2
    return F.pad(middle, (0, 1), value=stride)


def _flat(levels: Sequence[Tensor]) -> Tensor:
    return torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)

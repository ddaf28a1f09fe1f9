"""The metadata of a model card, by which the Hub finds a model: what it is for, its bases, its scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from zoo.checkpoint.lock import tables
from zoo.component import Modality
from zoo.spec.sections import Spec
from zoo.spec.sources import HubTable, locate

PIPELINES = {
    (Modality.IMAGE, "zoo/classifier"): "image-classification",
    (Modality.TEXT, "zoo/classifier"): "text-classification",
    (Modality.AUDIO, "zoo/classifier"): "audio-classification",
    (Modality.VECTOR, "zoo/classifier"): "tabular-classification",
    (Modality.VECTOR, "zoo/regressor"): "tabular-regression",
}
"""The Hub's word for the task of a model with one input and one head; it has none for several modalities."""


def metadata(spec: Spec, weights: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> str:
    """The front matter of a card, in YAML, without the lines around it.

    Args:
        spec: The model's spec.
        weights: Where the weights of its parts came from, as a lock tells it.
        metrics: What `metrics.json` holds; empty where nothing was measured.
    """
    from huggingface_hub.repocard_data import ModelCardData

    bases = sorted({each["repo"] for each in weights.values() if "repo" in each})
    datasets = sorted({repo for name in tables(spec) if (repo := _dataset(name)) is not None})
    modalities = sorted({str(section.registered.component.modality[0]) for section in spec.inputs.values()})
    results = list(_results(spec, metrics))
    relation: dict[str, Any] = {"base_model_relation": "finetune"} if bases else {}
    data = ModelCardData(
        library_name="zoo",
        license=spec.hub.license,
        tags=["zoo", *modalities, *(["multimodal"] if len(modalities) > 1 else [])],
        pipeline_tag=_pipeline(spec),
        base_model=bases or None,
        datasets=datasets or None,
        model_name=spec.name if results else None,
        eval_results=results or None,
        **relation,
    )
    text: str = data.to_yaml()
    return text.rstrip("\n")


def _pipeline(spec: Spec) -> str | None:
    if len(spec.inputs) != 1 or len(spec.heads) != 1:
        return None
    (section,), (head,) = spec.inputs.values(), spec.heads.values()
    return PIPELINES.get((Modality(section.registered.component.modality[0]), head.use))


def _dataset(name: str) -> str | None:
    if not name.startswith("hf:"):
        return None
    source = locate(name)
    return source.repo if isinstance(source, HubTable) else None


def _results(spec: Spec, metrics: Mapping[str, Any]) -> Iterator[Any]:
    """Every metric of all modalities together, with its number of rows and its interval beside."""
    from huggingface_hub.repocard_data import EvalResult

    task = _pipeline(spec) or "other"
    for head, found in (metrics.get("heads") or {}).items():
        for metric, each in found.items():
            if each.get("value") is not None:
                yield EvalResult(
                    task_type=task,
                    dataset_type=str(metrics.get("split", "test")),
                    dataset_name=f"{spec.name}, {metrics.get('split', 'test')}",
                    metric_type=metric,
                    metric_name=f"{head}: {metric}",
                    metric_value=each["value"],
                    metric_args={key: each[key] for key in ("n", "low", "high") if each.get(key) is not None},
                )

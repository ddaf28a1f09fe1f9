"""The backbones `torchaudio/*`: encoders of torchaudio's pretrained pipelines, by the pipeline's lower-case name."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torchaudio import pipelines
from torchaudio.models import wav2vec2_model, wavlm_model

from zoo import Backbone, BackboneContext, UsageError
from zoo_torchaudio.backbones import Pipeline
from zoo_torchaudio.speech_encoder import SpeechEncoder

FUNCTIONS: Mapping[str, Callable[..., nn.Module]] = {"Wav2Vec2": wav2vec2_model, "WavLM": wavlm_model}
LONGEST = 10
"""Seconds of the example where the input has no longest sound."""
DROPOUTS = ("encoder_projection_dropout", "encoder_attention_dropout", "encoder_ff_interm_dropout", "encoder_dropout")


class QuickOnMeta(TorchFunctionMode):
    """While active, two steps of making a network cost nothing where its weights have no memory.

    torch has the normal distribution and the norm that weight norm starts from on the meta device in Python alone, with
    900 modules that take two seconds to import and that loading needs for nothing else.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is nn.init.normal_ and kwargs["tensor"].is_meta:
            return kwargs["tensor"]
        if func is torch.norm_except_dim and args[0].is_meta:
            weight, _, kept = args
            return weight.new_empty([size if axis == kept else 1 for axis, size in enumerate(weight.shape)])
        return func(*args, **kwargs)


def bundles() -> dict[str, Any]:
    """The pipelines of the installed torchaudio that hold a speech encoder, by lower-case name, sorted."""
    found = {name.lower(): getattr(pipelines, name) for name in dir(pipelines) if name.isupper()}
    return {name: bundle for name, bundle in sorted(found.items()) if isinstance(bundle, pipelines.Wav2Vec2Bundle)}


def network(bundle: Any, **changed: Any) -> nn.Module:
    """A pipeline's network with random weights, on torch's default device.

    Args:
        bundle: The pipeline.
        changed: Arguments of its model function that differ from the pipeline's own.
    """
    with QuickOnMeta():
        return FUNCTIONS[bundle._model_type](**{**bundle._params, **changed})


def build(options: Pipeline, context: BackboneContext) -> Backbone:
    """An encoder as its pipeline has it, without the output layer of those that were fine-tuned to recognise speech.

    Raises:
        UsageError: This torchaudio has no such pipeline, the input's rate is another, there are fewer layers than
            `depth`, or the model function does not take what `model` says.
    """
    bundle = _bundle(context.name)
    rate = int(bundle.sample_rate)
    if context.value.rate != rate:
        raise UsageError(
            f"`torchaudio/{context.name}` hears sound at {rate} Hz, but the input gives {context.value.rate} Hz: "
            f"write `sample_rate: {rate}` for the input"
        )
    return SpeechEncoder(
        _encoder(bundle, options, context.name),
        pool=options.pool,
        normalize=bundle._normalize_waveform,
        longest=context.value.max_length or LONGEST * rate,
        published=partial(network, bundle),
    )


def _bundle(name: str) -> Any:
    known = bundles()
    if name not in known:
        raise UsageError(f"the installed torchaudio has no pipeline `{name}`; it has {', '.join(known)}")
    return known[name]


def _encoder(bundle: Any, options: Pipeline, name: str) -> nn.Module:
    """The network as the options change it."""
    _check_names(options.model, bundle)
    changed = {} if options.dropout is None else dict.fromkeys(DROPOUTS, options.dropout)
    changed |= options.model
    try:
        layers = changed.get("encoder_num_layers", bundle._params["encoder_num_layers"])
        changed["encoder_num_layers"] = layers if options.depth is None else options.depth
        if not 1 <= changed["encoder_num_layers"] <= layers:
            raise UsageError(f"`depth` is {changed['encoder_num_layers']}, but {name} has {layers} layers")
        return network(bundle, **changed, aux_num_out=None)
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        if not options.model:
            raise
        raise UsageError(f"torchaudio cannot build {name} with `model: {options.model}`: {error}") from error


def _check_names(model: Mapping[str, Any], bundle: Any) -> None:
    function = FUNCTIONS[bundle._model_type]
    known = set(inspect.signature(function).parameters) - {"aux_num_out"}
    for name in model:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"it takes {', '.join(sorted(known))}"
            raise UsageError(
                f"`model` has `{name}`, which torchaudio.models.{function.__name__} does not take; {advice}"
            )

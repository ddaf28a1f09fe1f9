"""What a plan says of memory, beside what the kernel counts while the built model trains and predicts."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SPECS = {
    "picture": """\
inputs:
  photo: {type: image, backbone: {use: timm/resnet18, weights: none, resolution: 160}}
heads:
  label: {use: zoo/classifier, classes: [a, b]}
train: {batch_size: 16, precision: fp32}
""",
    "picture and text, partly frozen": """\
inputs:
  photo: {type: image, backbone: {use: timm/vit_tiny_patch16_224, weights: none}, transfer: last:2}
  review:
    type: text
    max_length: 64
    backbone:
      use: transformers/bert
      weights: none
      config: {hidden_size: 256, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 1024}
heads:
  label: {use: zoo/classifier, classes: [a, b]}
train: {batch_size: 16, precision: fp32}
""",
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux's kernel counts a process's peak memory")
@pytest.mark.parametrize("name", SPECS)
def test_planned_memory_is_within_15_percent(name: str) -> None:
    # Blocks go back to the system as soon as they are free, so that the peak is that of live tensors.
    settings = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, str(ROOT / "benchmarks" / "plan.py"), "--child", SPECS[name]]
    done = subprocess.run(command, capture_output=True, text=True, env=settings)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["parameters"]["planned"] == found["parameters"]["real"]
    for part in ("training", "inference"):
        assert found[part]["planned"] == pytest.approx(found[part]["real"], rel=0.15), found

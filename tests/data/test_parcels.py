"""What worker processes send."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zoo.data.parcels import pack, unpack
from zoo.data.samples import Sample
from zoo.errors import UsageError

DTYPES = (torch.float32, torch.int64, torch.uint8, torch.bool)
tensors = st.builds(
    lambda dtype, shape, seed: (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 9).to(dtype),
    st.sampled_from(DTYPES),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(0, 99),
)
contents = st.recursive(
    tensors | st.text() | st.integers() | st.none(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, (list, tuple)):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@settings(deadline=None)
@given(contents)
def test_what_is_packed_comes_out_again(content: Any) -> None:
    assert same(content, unpack(pack(content)))


def test_a_parcel_has_a_tensor_for_each_type_whatever_is_in_it() -> None:
    samples = [Sample({"a": torch.rand(3), "b": torch.tensor(row)}, {"label": torch.tensor(1.0)}) for row in range(99)]
    parcel = pack([*samples, UsageError("row 100 is broken")])
    assert {dtype: len(each) for dtype, each in parcel.tensors.items()} == {torch.float32: 99 * 4, torch.int64: 99}
    *found, error = unpack(parcel)
    assert all(torch.equal(one.inputs["a"], other.inputs["a"]) for one, other in zip(found, samples, strict=True))
    assert str(error) == "row 100 is broken"


def test_views_and_slices_come_whole() -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    found = unpack(pack({"column": whole[:, 1], "turned": whole.T, "row": whole[2]}))
    assert found["column"].tolist() == [1, 5, 9]
    assert torch.equal(found["turned"], whole.T)
    assert found["row"].tolist() == [8, 9, 10, 11]


KILLED = """\
import sys, time
import torch
from zoo.data.workers import Workers

class Rows:
    def __getitems__(self, jobs):
        return [{"values": torch.rand(4), "told": "x" * 4000} for _ in jobs]

for number, samples in enumerate(Workers(Rows(), 2).prepared(([0] * 64 for _ in range(10_000)), 640_000)):
    if number == 3:
        print("ready", flush=True)
        time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="children are looked for in /proc")
def test_workers_end_after_the_death_of_what_they_work_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        workers = [int(each) for each in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        assert len(workers) >= 2
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 40
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not any(map(alive, workers))


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return " Z " not in Path(f"/proc/{number}/stat").read_text()

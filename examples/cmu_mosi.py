"""Puts the context of an utterance beside it, for `cmu-mosi.yaml`.

Run it as `python examples/cmu_mosi.py SOURCE cmu-mosi`. In each of the three columns of features, behind the numbers of
an utterance stand the means over those that were said around it in the same video, up to REACH before and after it;
zeros where nothing else was said. Both sides of the split are whole videos, so nothing goes from one to the other, and
no label is read.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

COLUMNS = ("text_features", "audio_features", "visual_features")
REACH = 5


def main(source: Path, output: Path) -> None:
    """Writes a table of the same name for each one in the source."""
    output.mkdir(parents=True)
    for path in sorted(source.glob("*.parquet")):
        table = parquet.read_table(path)
        videos = list(_videos(table))
        for name in COLUMNS:
            own = np.asarray(table.column(name).to_pylist(), dtype=np.float32)
            around = np.zeros_like(own)
            for rows in videos:
                around[rows] = _around(own[rows])
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pa.array(list(np.concatenate([own, around], 1))))
        parquet.write_table(table, output / path.name)


def _videos(table: pa.Table) -> Iterator[NDArray[np.int64]]:
    """The rows of each video in the order in which they were said."""
    names = np.asarray(table.column("video_id").to_pylist())
    order = np.asarray([int(each) for each in table.column("segment").to_pylist()])
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        yield rows[np.argsort(order[rows])]


def _around(said: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each of a video's utterances, the mean of the others at most REACH away."""
    places = np.arange(len(said))
    distance = np.abs(places[:, None] - places)
    near = ((distance > 0) & (distance <= REACH)).astype(np.float32)
    means: NDArray[np.float32] = near @ said / np.maximum(1, near.sum(1, keepdims=True))
    return means


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

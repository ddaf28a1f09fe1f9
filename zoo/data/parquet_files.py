"""Parquet files as columns: one at once, or in batches."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from zoo.errors import UsageError

BATCH_BYTES = 1 << 22
MOST_ROWS = 1 << 16


def read_parquet_column(paths: Sequence[Path], name: str) -> pa.ChunkedArray:
    """A column of files that are one table.

    Raises:
        UsageError: The column is damaged.
    """
    from pyarrow import parquet

    columns = []
    for path in paths:
        try:
            columns.append(parquet.ParquetFile(path, memory_map=True).read([name]).column(name))
        except (pa.ArrowException, OSError) as error:
            raise _told(path, name, error) from None
    kind = _common([column.type for column in columns])
    return pa.chunked_array([chunk for column in columns for chunk in _as(column, kind).chunks], kind)


def parquet_batches(paths: Sequence[Path], name: str) -> Iterator[pa.RecordBatch]:
    """A column batch by batch, in memory that does not depend on how many rows there are."""
    from pyarrow import parquet

    kind = _common([parquet.read_schema(path).field(name).type for path in paths])
    for path in paths:
        try:
            file = parquet.ParquetFile(path, memory_map=True)
            rows, size = parquet_size([path], [name])
            width = size // max(1, rows) + 1
            for batch in file.iter_batches(max(1, min(BATCH_BYTES // width, MOST_ROWS)), columns=[name]):
                yield pa.RecordBatch.from_arrays([_as(batch.column(name), kind)], [name])
        except (pa.ArrowException, OSError) as error:
            raise _told(path, name, error) from None


def rows_of(path: Path) -> int:
    """How many rows a file has."""
    from pyarrow import parquet

    length: int = parquet.read_metadata(path).num_rows
    return length


def parquet_size(paths: Sequence[Path], columns: Sequence[str]) -> tuple[int, int]:
    """How many rows files have, and bytes of some columns before their pages were compressed, as the footers tell."""
    from pyarrow import parquet

    rows = size = 0
    for path in paths:
        metadata = parquet.read_metadata(path)
        rows += metadata.num_rows
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            parts = map(group.column, range(group.num_columns))
            size += sum(each.total_uncompressed_size for each in parts if _owner(each.path_in_schema, columns))
    return rows, size


def _owner(path: str, columns: Sequence[str]) -> bool:
    """Whether a leaf of the schema belongs to one of the columns."""
    return any(path == name or path.startswith(f"{name}.") for name in columns)


def _common(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """The type of a column whose parts may have nothing in it."""
    return next((kind for kind in kinds if not pa.types.is_null(kind)), kinds[0])


def _as(cells: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return cells if cells.type == kind else cells.cast(kind)


def _told(path: Path, name: str, error: Exception) -> UsageError:
    return UsageError(f"`{path}`, column `{name}`, cannot be read: {error}")

"""Parquet files, and folders of them whose names hold columns (year=2024/part.parquet)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from vaehub.errors import UsageError
from vaehub_recommender.tables.files import reading


def parquet_files(path: Path) -> list[Path]:
    """The file, or those below the folder in the order of their names; names with a dot or underscore in front are others' notes."""
    if path.is_file():
        return [path]
    found = [file for file in sorted(path.rglob("*.parquet")) if file.is_file()]
    visible = [file for file in found if not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)]
    if not visible:
        raise UsageError(f"{path}: holds no .parquet files")
    return visible


def dataset_of(path: Path) -> ds.Dataset:
    """All files as one table, numbers as wide as the widest. Raises UsageError that names a file that is damaged or of other types."""
    files = parquet_files(path)
    base = str(path if path.is_dir() else path.parent)

    def joined(schema: pa.Schema | None) -> ds.Dataset:
        names, keys = [str(file) for file in files], ds.partitioning(flavor="hive")
        return ds.dataset(names, schema, "parquet", partitioning=keys, partition_base_dir=base)

    with reading(files[0]):
        dataset = joined(None)
    schema = dataset.schema
    for fragment in dataset.get_fragments():
        with reading(Path(fragment.path)):
            schema = pa.unify_schemas([schema, fragment.physical_schema], promote_options="permissive")
    return joined(schema)


def parquet_batches(dataset: ds.Dataset, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """These columns, some rows at a time. Raises UsageError that names the file that is damaged."""
    for fragment in dataset.get_fragments():
        with reading(Path(fragment.path)):
            yield from fragment.to_batches(schema=dataset.schema, columns=list(columns), batch_size=rows, use_threads=False)

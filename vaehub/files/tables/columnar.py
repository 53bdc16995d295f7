"""Files that say what their columns hold, as one table: Parquet and Feather, and folders of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from vaehub.errors import UsageError
from vaehub.files.guard import guarded, most_in_memory, read_gzip, regular_file
from vaehub.files.tables.names import JSON_LINES, is_packed, matched_suffix

REMEDY = "write it anew"
ARROW_FILE = b"ARROW1"  # how a file of Arrow begins; without it, it is a stream


def dataset_of(path: Path, limit: int) -> ds.Dataset:
    """A file, or all below a folder whose names may hold columns (year=2024/part.parquet), numbers as wide as the widest.

    Raises: UsageError that names the file that is damaged, of other types, or no file.
    """
    if (matched_suffix(path, (JSON_LINES,)) or "").startswith(JSON_LINES):
        return json_lines(path, limit)
    if is_packed(path):
        return packed(path, limit)
    if path.is_file() and is_arrow(path):
        with guarded(path, REMEDY), pa.memory_map(str(regular_file(path, limit))) as file:
            if file.read(len(ARROW_FILE)) != ARROW_FILE:
                file.seek(0)
                return streamed(file)
    files = [path] if path.is_file() else parquet_files(path)
    base = str(path.parent if path.is_file() else path)
    kind = "feather" if is_arrow(files[0]) else "parquet"

    def joined(schema: pa.Schema | None) -> ds.Dataset:
        names, keys = [str(regular_file(file, limit)) for file in files], ds.partitioning(flavor="hive")
        return ds.dataset(names, schema, kind, partitioning=keys, partition_base_dir=base)

    with guarded(files[0], REMEDY):
        dataset = joined(None)
    schema = dataset.schema
    for fragment in dataset.get_fragments():
        with guarded(fragment.path, REMEDY):
            schema = pa.unify_schemas([schema, fragment.physical_schema], promote_options="permissive")
    return joined(schema)


def packed(path: Path, limit: int) -> ds.Dataset:
    """A gzipped file, unpacked in memory."""
    unpacked = read_gzip(path, limit)
    content = pa.BufferReader(unpacked)
    parquet = (matched_suffix(path) or "").startswith(".parquet")
    with guarded(path, REMEDY):
        if parquet:
            import pyarrow.parquet as pq

            return ds.dataset(pq.read_table(content))
        return ds.dataset(pa.ipc.open_file(content).read_all()) if unpacked.startswith(ARROW_FILE) else streamed(content)


def json_lines(path: Path, limit: int) -> ds.Dataset:
    """An object a line, in memory: only the whole file says which types its columns have."""
    import pyarrow.json as pj

    most = min(limit, most_in_memory())
    content = pa.BufferReader(read_gzip(path, most) if is_packed(path) else regular_file(path, most).read_bytes())
    with guarded(path, "give one JSON object a line, in UTF-8, each with the same names"):
        return ds.dataset(pj.read_json(content))


def streamed(file: Any) -> ds.Dataset:
    """Arrow as it is sent, one batch after another without a directory at the end; no more of it than memory may hold."""
    batches, size, most = [], 0, most_in_memory()
    with pa.ipc.open_stream(file) as stream:
        for batch in stream:
            batches.append(batch)
            size += batch.nbytes
            if size > most:
                raise UsageError(f"more than {most:,} bytes in memory; write it as Parquet")
        return ds.dataset(pa.Table.from_batches(batches, stream.schema))


def is_arrow(path: Path) -> bool:
    """Whether the name says that it is a file of Arrow, which Feather is."""
    return path.suffix.lower() in (".feather", ".arrow")


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files below a folder in the order of their names; those with a dot or underscore in front are others' notes."""
    found = [file for file in sorted(folder.rglob("*.parquet")) if file.is_file()]
    visible = [file for file in found if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)]
    if not visible:
        raise UsageError(f"{folder}: holds no .parquet files")
    return visible


def batches_of(dataset: ds.Dataset, path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """These columns, at most `rows` rows at a time. Raises UsageError that names the file that is damaged."""
    for fragment in dataset.get_fragments():
        with guarded(fragment.path if isinstance(fragment, ds.FileFragment) else path, REMEDY):
            for batch in fragment.to_batches(schema=dataset.schema, columns=list(columns), batch_size=rows, use_threads=False):
                batch.validate(full=True)  # pandas would follow damaged offsets out of memory, and end the process
                yield batch


def cells_of(dataset: ds.Dataset, path: Path, columns: int) -> int:
    """How many cells some columns have, by what the files say of themselves."""
    with guarded(path, REMEDY):
        rows: Any = dataset.count_rows()
    return int(rows) * columns

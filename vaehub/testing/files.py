"""What every domain must satisfy: files, saved state and conditions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaehub.base import Codec, Data, Domain, Json
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError
from vaehub.sparse import dense
from vaehub.testing.bench import Bench
from vaehub.testing.core import Failed, Skipped, check, require
from vaehub.testing.domains import head, rows_of
from vaehub.testing.isolation import no_files, no_network
from vaehub.testing.measure import require_same

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".json", ".jsonl", ".txt", ".smi", ".sdf", ".wav", ".png", "")
ROUNDING = 1 / 255  # files may hold bytes
IN_MEMORY: dict[str, Callable[[Path], object]] = {".npy": np.load, ".parquet": pd.read_parquet}


@check("domain")
def written_rows_read_back(bench: Bench) -> None:
    """In some format that `write` offers, `read` gives the same rows, to the rounding of bytes."""
    domain, data = rows_of(bench, "val")
    x = data[head(data)].x
    with TemporaryDirectory() as folder:
        outcomes = {suffix: round_trip(domain.codec, x, Path(folder) / f"rows{suffix}") for suffix in SUFFIXES}
    offered = {suffix: error for suffix, error in outcomes.items() if error != "not offered"}
    require(bool(offered), f"write() takes none of the suffixes {', '.join(SUFFIXES)}")
    require("" in offered.values(), f"no format reads back what was written: {offered}")


def round_trip(codec: Codec, x: Tensor, path: Path) -> str:
    """What is wrong with rows written to a file and read from it; empty where nothing is."""
    try:
        codec.write(torch.from_numpy(codec.present(x)), path)
    except UsageError:
        return "not offered"
    try:
        data = codec.read(path)
        back = dense(data[torch.arange(len(data))].x)
    except UsageError as error:
        return str(error)
    if back.shape != x.shape:
        return f"{tuple(x.shape)} comes back as {tuple(back.shape)}"
    worst = float((back.double() - x.double()).nan_to_num().abs().max())
    return "" if worst <= ROUNDING * max(1.0, float(x.double().nan_to_num().abs().max())) else f"differs by up to {worst:.3g}"


@check("domain")
def files_and_arrays_are_converted_alike(bench: Bench) -> None:
    """`convert` of the array or the table in a file gives bit for bit what `read` gives of the file."""
    domain, data = rows_of(bench, "val")
    codec, x, compared = domain.codec, data[head(data)].x, False
    with TemporaryDirectory() as folder:
        for suffix, in_memory in IN_MEMORY.items():
            path = Path(folder) / f"rows{suffix}"
            if round_trip(codec, x, path):
                continue
            given, compared = codec.convert(in_memory(path)), True
            rows = given if isinstance(given, Data) else TensorData(given)
            read, converted = (all_rows(data) for data in (codec.read(path), rows))
            require(torch.equal(read, converted), f"convert() of what {path.name} holds is not what read() gives of it")
    if not compared:
        raise Skipped(f"no file of {', '.join(IN_MEMORY)} reads back what was written")


def all_rows(data: Data) -> Tensor:
    """The x of all rows, gaps as 0."""
    return dense(data[torch.arange(len(data))].without_hidden().x).nan_to_num()


@check("domain")
def missing_file_is_named(bench: Bench) -> None:
    """`read` of a file that does not exist raises UsageError that names it."""
    domain, data = rows_of(bench)
    with TemporaryDirectory() as folder:
        for suffix in formats(domain.codec, data[head(data)].x, Path(folder)):
            require_named(domain.codec, Path(folder) / f"absent{suffix}")


@check("domain")
def damaged_file_is_named(bench: Bench) -> None:
    """`read` of a file full of nonsense raises UsageError that names it."""
    domain, data = rows_of(bench)
    with TemporaryDirectory() as folder:
        for suffix in formats(domain.codec, data[head(data)].x, Path(folder)):
            path = Path(folder) / f"nonsense{suffix}"
            path.write_bytes(bytes(range(256)) * 4)
            require_named(domain.codec, path)


def formats(codec: Codec, x: Tensor, folder: Path) -> list[str]:
    """Suffixes that `write` takes."""
    return [suffix for suffix in SUFFIXES if suffix and round_trip(codec, x, folder / f"rows{suffix}") != "not offered"]


def require_named(codec: Codec, path: Path) -> None:
    """Fails unless reading the file raises UsageError with its name."""
    try:
        data = codec.read(path)
        data[head(data)]
    except UsageError as error:
        require(path.name in str(error), f"the error does not name the file {path.name}: {error}")
    else:
        require(False, f"read() takes the nonsense in {path.name} for data")


def saved(bench: Bench) -> tuple[Domain[Codec], Json]:
    """A domain that has seen its data, with what a model file would keep of it."""
    domain, data = rows_of(bench)
    data[head(data)]
    state = domain.codec.to_json()
    try:
        return domain, json.loads(json.dumps(state, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Failed(f"to_json() is not plain JSON: {error}") from error


@check("domain")
def codec_is_json(bench: Bench) -> None:
    """`to_json()` is plain JSON, and comes back from it unchanged."""
    domain, state = saved(bench)
    require(
        state == domain.codec.to_json(), "to_json() changes by being written as JSON and read (tuples? keys that are no strings?)"
    )


@check("domain")
def codec_comes_back_without_data(bench: Bench) -> None:
    """`codec_type.from_json` gives the codec again without reading any file."""
    domain, state = saved(bench)
    with no_network(), no_files():
        back = domain.codec_type.from_json(domain.codec.spec, state)
        require(back.spec == domain.codec.spec, f"after from_json() spec is {back.spec}, not {domain.codec.spec}")
        require(back.to_json() == state, "after from_json() to_json() is not what was saved")


@check("domain")
def restored_reads_the_same(bench: Bench) -> None:
    """A restored codec reads what the original wrote, as the original does."""
    domain, state = saved(bench)
    fresh = domain.codec_type.from_json(domain.codec.spec, state)
    x = rows_of(bench, "val")[1][torch.arange(4)].x
    with TemporaryDirectory() as folder:
        good = [s for s in SUFFIXES if not round_trip(domain.codec, x, Path(folder) / f"rows{s}")]
        if not good:
            raise Skipped("no format reads back what was written")
        path = Path(folder) / f"rows{good[0]}"
        one, other = (dense(c.read(path)[torch.arange(4)].x).float().nan_to_num() for c in (domain.codec, fresh))
    require_same(other, one, "a restored codec reads the same file differently")


@check("domain")
def condition_has_the_width_of_spec(bench: Bench) -> None:
    """`condition` turns what a user gives into cond (C,)."""
    domain, data = rows_of(bench)
    width = domain.codec.spec.cond
    if not width:
        raise Skipped("the data have no condition")
    names = domain.codec.classes
    given = [names[0]] if names else [float(v) for v in data[head(data)].cond[0]]  # type: ignore[index]
    cond = domain.codec.condition(given)
    require(tuple(cond.shape) == (width,), f"condition({given}) has shape {tuple(cond.shape)}, spec.cond = {width}")

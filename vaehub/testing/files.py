"""What every domain must satisfy: files, saved state and conditions."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from vaehub.base import Domain, Json, Spec
from vaehub.errors import UsageError
from vaehub.sparse import dense
from vaehub.testing.bench import Bench
from vaehub.testing.core import Failed, Skipped, check, require
from vaehub.testing.domains import head, rows_of
from vaehub.testing.isolation import no_files, no_network
from vaehub.testing.measure import require_same

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".json", ".jsonl", ".txt", ".smi", ".sdf", ".wav", ".png", "")
ROUNDING = 1 / 255  # files may hold bytes


@check("domain")
def written_rows_read_back(bench: Bench) -> None:
    """In some format that `write` offers, `read` gives the same rows, to the rounding of bytes."""
    domain, data = rows_of(bench, "val")
    x = data[head(data)].x
    with TemporaryDirectory() as folder:
        outcomes = {suffix: round_trip(domain, x, Path(folder) / f"rows{suffix}") for suffix in SUFFIXES}
    offered = {suffix: error for suffix, error in outcomes.items() if error != "not offered"}
    require(bool(offered), f"write() takes none of the suffixes {', '.join(SUFFIXES)}")
    require("" in offered.values(), f"no format reads back what was written: {offered}")


def round_trip(domain: Domain, x: Tensor, path: Path) -> str:
    """What is wrong with rows written to a file and read from it; empty where nothing is."""
    try:
        domain.write(x, path)
    except UsageError:
        return "not offered"
    try:
        data = domain.read(path)
        back = dense(data[torch.arange(len(data))].x)
    except UsageError as error:
        return str(error)
    if back.shape != x.shape:
        return f"{tuple(x.shape)} comes back as {tuple(back.shape)}"
    worst = float((back.double() - x.double()).nan_to_num().abs().max())
    return "" if worst <= ROUNDING * max(1.0, float(x.double().nan_to_num().abs().max())) else f"differs by up to {worst:.3g}"


@check("domain")
def missing_file_is_named(bench: Bench) -> None:
    """`read` of a file that does not exist raises UsageError that names it."""
    domain, data = rows_of(bench)
    with TemporaryDirectory() as folder:
        for suffix in formats(domain, data[head(data)].x, Path(folder)):
            require_named(domain, Path(folder) / f"absent{suffix}")


@check("domain")
def damaged_file_is_named(bench: Bench) -> None:
    """`read` of a file full of nonsense raises UsageError that names it."""
    domain, data = rows_of(bench)
    with TemporaryDirectory() as folder:
        for suffix in formats(domain, data[head(data)].x, Path(folder)):
            path = Path(folder) / f"nonsense{suffix}"
            path.write_bytes(bytes(range(256)) * 4)
            require_named(domain, path)


def formats(domain: Domain, x: Tensor, folder: Path) -> list[str]:
    """Suffixes that `write` takes."""
    return [suffix for suffix in SUFFIXES if suffix and round_trip(domain, x, folder / f"rows{suffix}") != "not offered"]


def require_named(domain: Domain, path: Path) -> None:
    """Fails unless reading the file raises UsageError with its name."""
    try:
        data = domain.read(path)
        data[head(data)]
    except UsageError as error:
        require(path.name in str(error), f"the error does not name the file {path.name}: {error}")
    else:
        require(False, f"read() takes the nonsense in {path.name} for data")


def saved(bench: Bench) -> tuple[Domain, Spec, Json]:
    """A domain that has seen its data, with what a model file would keep of it."""
    domain, data = rows_of(bench)
    data[head(data)]
    state = domain.state()
    try:
        return domain, domain.spec, json.loads(json.dumps(state, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Failed(f"state() is not plain JSON: {error}") from error


@check("domain")
def state_is_json(bench: Bench) -> None:
    """`state()` is plain JSON, and comes back from it unchanged."""
    domain, _, state = saved(bench)
    require(state == domain.state(), "state() changes by being written as JSON and read (tuples? keys that are no strings?)")


@check("domain")
def restored_without_data(bench: Bench) -> None:
    """A new instance restored from spec and state knows both without reading any file."""
    _, spec, state = saved(bench)
    fresh: Domain = bench.make()
    with no_network(), no_files():
        fresh.restore(spec, state)
        require(fresh.spec == spec, f"after restore() spec is {fresh.spec}, not {spec}")
        require(fresh.state() == state, "after restore() state() is not what was saved")


@check("domain")
def restored_reads_the_same(bench: Bench) -> None:
    """A restored instance reads what the original wrote, as the original does."""
    domain, spec, state = saved(bench)
    fresh: Domain = bench.make()
    fresh.restore(spec, state)
    x = rows_of(bench, "val")[1][torch.arange(4)].x
    with TemporaryDirectory() as folder:
        good = [s for s in SUFFIXES if not round_trip(domain, x, Path(folder) / f"rows{s}")]
        if not good:
            raise Skipped("no format reads back what was written")
        path = Path(folder) / f"rows{good[0]}"
        one, other = (dense(d.read(path)[torch.arange(4)].x).float().nan_to_num() for d in (domain, fresh))
    require_same(other, one, "a restored instance reads the same file differently")


@check("domain")
def condition_has_the_width_of_spec(bench: Bench) -> None:
    """`condition` turns what a user gives into cond (C,)."""
    domain, data = rows_of(bench)
    width = domain.spec.cond
    if not width:
        raise Skipped("the data have no condition")
    names = domain.classes
    given = [names[0]] if names else [float(v) for v in data[head(data)].cond[0]]  # type: ignore[index]
    cond = domain.condition(given)
    require(tuple(cond.shape) == (width,), f"condition({given}) has shape {tuple(cond.shape)}, spec.cond = {width}")

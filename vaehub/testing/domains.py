"""What every domain must satisfy: its rows and splits."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from vaehub.base import Batch, Codec, Data, Domain
from vaehub.errors import UsageError
from vaehub.testing.bench import Bench
from vaehub.testing.core import Failed, Skipped, check, require
from vaehub.testing.isolation import no_files, no_network
from vaehub.testing.measure import require_finite, require_same

SPLITS = ("train", "val", "test")
CHUNK = 2000


class Written(Data):
    """Other data with sparse tensors written out, so that the checks can compare numbers; final."""

    def __init__(self, data: Data) -> None:
        self.data, self.labels = data, data.labels

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Tensor) -> Batch:
        batch = self.data[index]
        return batch.dense() if isinstance(batch, Batch) else batch

    def to(self, device: torch.device | str) -> Data:
        """The same rows on another device."""
        moved = self.data.to(device)
        require(isinstance(moved, Data), f"to({device}) gives {type(moved).__name__}, not the same Data")
        return Written(moved)


def rows_of(bench: Bench, split: str = "train") -> tuple[Domain[Codec], Data]:
    """A new instance of the domain and the rows of a split, or Skipped where the domain has none at hand."""
    domain: Domain[Codec] = bench.make()
    with no_network():
        try:
            return domain, Written(domain.data(split))
        except (UsageError, Failed) as error:
            raise Skipped(f"no data at hand: {error}") from error


def head(data: Data, rows: int = 8) -> Tensor:
    """The first row numbers."""
    return torch.arange(min(rows, len(data)))


@check("domain")
def constructor_reads_nothing(bench: Bench) -> None:
    """Building the domain opens no file and no connection: that waits for the first use."""
    bench.make()  # what it imports has been imported
    with no_network(), no_files():
        bench.make()


@check("domain")
def sample_is_at_hand_offline(bench: Bench) -> None:
    """With defaults (or its example) all three splits have rows, without network."""
    domain: Domain[Codec] = bench.make()
    with no_network():
        sizes = {split: len(domain.data(split)) for split in SPLITS}
    require(all(sizes.values()), f"sizes of the splits: {sizes}")


@check("domain")
def rows_fit_the_spec(bench: Bench) -> None:
    """x is (B, *spec.shape), cond (B, spec.cond), and the mask broadcasts to x."""
    for split in SPLITS:
        domain, data = rows_of(bench, split)
        spec, index = domain.codec.spec, head(data)
        batch = data[index]
        require(isinstance(batch, Batch), f"data[index] gives {type(batch).__name__}, not a Batch")
        require(
            tuple(batch.x.shape) == (len(index), *spec.shape),
            f"x of {split} is {tuple(batch.x.shape)}, spec says {spec.shape} a row",
        )
        width = 0 if batch.cond is None else batch.cond.shape[-1]
        require(width == spec.cond, f"cond of {split} has {width} numbers a row, spec says {spec.cond}")
        require(batch.mask is None or batch.mask.dtype == torch.bool, f"the mask of {split} is not boolean")


@check("domain")
def values_are_valid(bench: Bench) -> None:
    """Observed x is finite, and integers below spec.classes where the data are discrete."""
    for split in SPLITS:
        domain, data = rows_of(bench, split)
        batch = data[head(data, 200)]
        x = batch.x if batch.mask is None else batch.x[batch.mask.expand_as(batch.x)]
        require_finite(x.float(), f"observed x of {split}")
        classes = domain.codec.spec.classes
        if classes:
            inside = bool(((x >= 0) & (x < classes) & (x == x.round())).all())
            require(inside, f"x of {split} spans [{x.min():g}, {x.max():g}], spec.classes = {classes}")


@check("domain")
def labels_are_valid(bench: Bench) -> None:
    """Where rows have labels, there is one for every row, an integer that `classes` has a name for."""
    for split in SPLITS:
        domain, data = rows_of(bench, split)
        if data.labels is None:
            raise Skipped("rows have no labels")
        labels, names = data.labels, len(domain.codec.classes)
        require(tuple(labels.shape) == (len(data),), f"{split} has {len(data)} rows and labels {tuple(labels.shape)}")
        require(not labels.is_floating_point(), f"labels of {split} are {labels.dtype}, not integers")
        inside = int(labels.min()) >= 0 and (not names or int(labels.max()) < names)
        require(inside, f"labels of {split} span {int(labels.min())}..{int(labels.max())}, there are {names} classes")


@check("domain")
def splits_are_reproducible(bench: Bench) -> None:
    """A second instance has the same rows in the same order, whatever the state of the random numbers."""
    for split in SPLITS:
        torch.manual_seed(1)
        _, first = rows_of(bench, split)
        torch.manual_seed(2)
        _, second = rows_of(bench, split)
        require(len(first) == len(second), f"{split} has {len(first)} rows, then {len(second)}")
        ends = torch.cat([head(first), len(first) - 1 - head(first)])
        require_same(
            fetched(first, ends).float(), fetched(second, ends).float(), f"rows of {split} differ between two instances", 0.0
        )


def fetched(data: Data, index: Tensor) -> Tensor:
    """x of some rows, with NaN as 0 and always the same noise."""
    torch.manual_seed(5)
    return data[index].x.nan_to_num()


def is_random(data: Data) -> bool:
    """Whether rows are drawn anew at every fetch."""
    torch.manual_seed(6)
    first = data[head(data)].x.nan_to_num()
    return not torch.equal(first, data[head(data)].x.nan_to_num())


@check("domain")
def evaluation_rows_are_fixed(bench: Bench) -> None:
    """Validation and test rows are the same at every fetch: only training rows may be augmented."""
    for split in ("val", "test"):
        require(not is_random(rows_of(bench, split)[1]), f"rows of {split} change from one fetch to the next")


@check("domain")
def splits_are_disjoint(bench: Bench) -> None:
    """No row of one split is in another, beyond what chance makes of rows that repeat within a split."""
    data = {split: rows_of(bench, split)[1] for split in SPLITS}
    if is_random(data["train"]):
        raise Skipped("training rows are drawn anew at every fetch")
    seen = {split: Counter(contents(some)) for split, some in data.items()}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        require_no_leak(seen[one], seen[other], f"{one} and {other}")


def require_no_leak(one: Counter[bytes], other: Counter[bytes], names: str) -> None:
    """Fails where more rows of `other` are in `one` than repeat within `one`, by three standard errors."""
    size, total = other.total(), one.total()
    shared = sum(n for row, n in other.items() if row in one)
    repeats = sum(n for n in one.values() if n > 1) / total
    allowed = repeats * size + 3 * (repeats * (1 - repeats) * size) ** 0.5
    require(shared <= allowed, f"{names} share {shared} of {size} rows; {100 * repeats:.1f} % of rows repeat within a split")


def contents(data: Data) -> list[bytes]:
    """What every row holds, as bytes."""
    chunks = (data[index].x.nan_to_num() for index in torch.arange(len(data)).split(CHUNK))
    return [row.tobytes() for x in chunks for row in x.contiguous().numpy()]


@check("domain")
def batch_equals_its_rows(bench: Bench) -> None:
    """A batch fetched at once is its rows fetched one by one, in any order."""
    _, data = rows_of(bench, "val")
    index = torch.randperm(len(data))[:8]
    batch, single = data[index], [data[i] for i in index.chunk(len(index))]
    for name, together, alone in zip(Batch._fields, batch, zip(*single, strict=True), strict=True):
        if together is not None:
            stacked = torch.cat(alone)
            require_same(
                together.float().nan_to_num(), stacked.float().nan_to_num(), f"{name} of a batch is not that of its rows", 0.0
            )


@check("domain")
def rows_move_to_a_device(bench: Bench) -> None:
    """`to(device)` gives the same rows on that device."""
    _, data = rows_of(bench, "val")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    moved, index = data.to(device), head(data)
    require(len(moved) == len(data), f"to({device}) gives {len(moved)} rows, not {len(data)}")
    x = moved[index.to(device)].x
    require(x.device.type == device.type, f"after to({device}), x is on {x.device}")
    require_same(x.cpu().float().nan_to_num(), data[index].x.float().nan_to_num(), f"to({device}) changes the rows", 0.0)

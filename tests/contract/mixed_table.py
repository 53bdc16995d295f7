"""A table of mixed columns with gaps: everything that a stranger has to write for it."""

from pathlib import Path

import torch
from torch import Tensor

from vaehub import Codec, Data, Domain, Kind, Spec, TensorData, hookimpl

KINDS = (Kind("real"), Kind("count"), Kind("category", 3))
ROWS = {"train": 600, "val": 100, "test": 100}


class TableCodec(Codec):
    """Rows of three columns as an array in torch's own format."""

    suffix = ".pt"

    def read(self, path: Path) -> Data:
        return TensorData(torch.load(path, weights_only=True))

    def write(self, x: Tensor, path: Path) -> None:
        torch.save(x, path)


class MixedTable(Domain[TableCodec]):
    """Two groups of people that differ in all three columns; `gaps` is the share of cells that is missing."""

    codec_type = TableCodec

    def __init__(self, *, gaps: float = 0.2) -> None:
        self.gaps = gaps

    def learn(self) -> TableCodec:
        return TableCodec(Spec((len(KINDS),), kinds=KINDS))

    def data(self, split: str) -> TensorData:
        generator = torch.Generator().manual_seed(list(ROWS).index(split))
        group = torch.randint(2, (ROWS[split],), generator=generator)
        real = 4.0 * group - 2 + 0.3 * torch.randn(len(group), generator=generator)
        count = torch.poisson(1 + 9.0 * group, generator=generator)
        x = torch.stack([real, count, 2.0 * group], 1)
        mask = torch.rand(x.shape, generator=generator) >= self.gaps
        return TensorData(torch.where(mask, x, torch.nan), mask=mask, labels=group)


@hookimpl
def vaehub_components() -> dict[str, str]:
    return {"domain/mixed_table": ":MixedTable"}
